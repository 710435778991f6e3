"""What code says of its own names, as pieces of Markdown."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msanet_bench.gfm import grid, marked

NOTICE = "<!-- Made from the code by `pytest --update-golden tests/test_reference.py`: do not edit. -->"


def page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTICE, *parts]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """A table whose last columns may be numbers."""
    return grid(header, rows, text_columns=len(header) - numbers)


def described(entry: object, section: str = "Attributes") -> dict[str, str]:
    """What the docstring of a class or function says of each of its attributes or arguments."""
    found = re.search(rf"^{section}:\n((?: {{4}}.*\n?|\n)+)", inspect.getdoc(entry) or "", re.MULTILINE)
    items = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", found[1] if found else "", re.MULTILINE)
    return {name: marked(text) for name, text in items}


def summary(entry: object) -> str:
    """The first paragraph of a docstring."""
    return marked((inspect.getdoc(entry) or "").partition("\n\n")[0])


def meanings(names: Iterable[str], own: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """The meaning of each name: its own docstring's, or that of `others`, which must not say it again.

    Raises:
        ValueError: a name has none or two, or `others` explains what is not there.
    """
    known = list(names)
    problems = [
        *(f"{name} is not explained" for name in known if name not in own and name not in others),
        *(f"{name} is explained twice" for name in known if name in own and name in others),
        *(f"there is no {name}" for name in others if name not in known),
    ]
    if problems:
        raise ValueError("; ".join(problems))
    return {name: own.get(name) or marked(others[name]) for name in known}


def type_words(schema: Mapping[str, Any]) -> str:
    """What a JSON Schema allows, in words; anything it does not narrow is `any`."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{_plain(value)}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_words(form) for form in schema["anyOf"]))
    kind = schema.get("type", "any")
    if kind == "array":
        return _array_words(schema)
    words = {"null": "nothing (`~`)", "object": "mapping", "string": "text", "boolean": "`true`, `false`"}
    return words.get(kind, kind) + _bounds(schema)


def _array_words(schema: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"list of {', '.join(map(type_words, schema['prefixItems']))}"
    items = schema.get("items", {})
    return f"list of {type_words(items)}" if items else "list"


def _bounds(schema: Mapping[str, Any]) -> str:
    limits = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    return "".join(f", {words} {schema[key]:,}" for key, words in limits.items() if key in schema)


def shown(value: object) -> str:
    """A default as YAML has it."""
    return f"`{_plain(value)}`"


def _plain(value: object) -> str:
    match value:
        case None:
            return "~"
        case bool():
            return str(value).lower()
        case str():
            return value or '""'
        case list() | tuple():
            return f"[{', '.join(map(_plain, value))}]"
        case _:
            return f"{value}"

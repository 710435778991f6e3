"""What pydantic found wrong, in the words of this program: the law, then the value, then the way out."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_LAWS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be finite",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_pattern_mismatch": "must be letters, digits, - and _ only, at most 64, and not start with - or _",
    "dict_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "model_type": "must be a mapping",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "too_short": "must have {min_length} or more entries",
    "too_long": "must have {max_length} or fewer entries",
}


_LONGEST = 60


class Violation(NamedTuple):
    """One broken rule: where in the value, and what."""

    location: tuple[str | int, ...]
    message: str


def violations(error: ValidationError, known: Iterable[str] = ()) -> Iterator[Violation]:
    """Every broken rule of a value; `known` are the keys that may stand at its top level."""
    for detail in error.errors(include_url=False):
        if not _counts_bad_entries(detail):
            yield Violation(tuple(detail["loc"]), _message(detail, known))


def suggestion(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'gamma'? Known: b, gamma.`"""
    names = sorted(known)
    if not names:
        return "Nothing may be set here."
    close = difflib.get_close_matches(name, names, n=1)
    return (f"Did you mean '{close[0]}'? " if close else "") + f"Known: {', '.join(names)}."


def shown(value: Any) -> str:
    """A value as its reader wrote it, near enough, and short enough for one line of a terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _counts_bad_entries(detail: ErrorDetails) -> bool:
    """Whether a list is called too short for entries that are there and are named as wrong themselves."""
    given = detail["input"]
    return (
        detail["type"] == "too_short"
        and isinstance(given, list | tuple)
        and len(given) >= detail.get("ctx", {}).get("min_length", 0)
    )


def _message(detail: ErrorDetails, known: Iterable[str]) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"unknown key. {suggestion(str(detail['loc'][-1]), known)}"
    if kind == "missing":
        return "this key is required."
    if kind == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    law = _LAWS[kind].format(**detail.get("ctx", {})) if kind in _LAWS else detail["msg"]
    return f"{law}, but got {shown(detail['input'])}."

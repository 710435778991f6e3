"""YAML as people expect it (version 1.2's core schema), with the line of every value.

PyYAML alone reads YAML 1.1, where `1e-3` is text, `on` and `no` are truth values, `1:30` is ninety and a
repeated key silently replaces the first. Here `1e-3` is a number, only `true` and `false` are truth values,
`1:30` is text, and a repeated key is a problem.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from msanet_bench.errors import Problem

Path: TypeAlias = tuple[str | int, ...]

_SCALARS = (
    ("null", re.compile(r"~|null|Null|NULL|"), [*"~nN", ""]),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF")),
    ("int", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), list("-+0123456789")),
    (
        "float",
        re.compile(
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
        ),
        list("-+.0123456789"),
    ),
)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content as plain values, the line (from 1) of every path, and what YAML itself forbids."""

    tree: Any
    lines: Mapping[Path, int]
    problems: tuple[Problem, ...]

    def line(self, path: Path) -> int:
        """The line of a path, or of its nearest ancestor that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str) -> Problem:
        return Problem(self.line(path), dotted(path), message)


def dotted(path: Path) -> str:
    """`("factors", "attention", 1)` as `factors.attention[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def read_yaml(text: str) -> Document:
    """Read one YAML document; a syntax error becomes the document's only problem."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return Document(None, {}, (Problem(line, "", f"not valid YAML: {error.problem or error.context}."),))
    except (yaml.YAMLError, RecursionError) as error:
        return Document(None, {}, (Problem(1, "", f"not valid YAML: {error}."),))
    if root is None:
        return Document(None, {}, (Problem(1, "", "the file is empty."),))
    reader = _Reader()
    tree = reader.value(root, ())
    return Document(tree, reader.lines, tuple(reader.problems))


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without the scalar rules of YAML 1.1."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's name)


for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_pattern.pattern})$"), _first
    )


class _Reader:
    """Turns YAML nodes into plain values and notes where each one stood."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._open: list[yaml.Node] = []

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node in self._open:
            return self._refuse(node, path, "an anchor may not contain itself.")
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, path, "a key must be a single word.")
                continue
            key = str(key_node.value)
            if key in content:
                first = self.lines[*path, key]
                self._refuse(
                    key_node, (*path, key), f"this key stands twice; first in line {first}. Keep one."
                )
                continue
            self.lines[*path, key] = key_node.start_mark.line + 1
            content[key] = self.value(value_node, (*path, key))
        return content

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        text = str(node.value)
        match node.tag.removeprefix("tag:yaml.org,2002:"):
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
            case "float":
                return float(text.replace(".inf", "inf").replace(".nan", "nan").lower())
            case tag:
                return self._refuse(node, path, f"the tag {tag!r} is not allowed; write plain values.")

    def _refuse(self, node: yaml.Node, path: Path, message: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, dotted(path), message))

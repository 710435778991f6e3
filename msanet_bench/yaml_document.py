"""YAML as people expect it (version 1.2's core schema), with the line of every value.

PyYAML alone reads YAML 1.1, where `1e-3` is text, `on` and `no` are truth values, `1:30` is ninety and a
repeated key silently replaces the first. Here `1e-3` is a number, only `true` and `false` are truth values,
`1:30` is text, and a repeated key is a problem.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml
from yaml.reader import ReaderError

from msanet_bench.errors import Problem
from msanet_bench.violations import shown

Path: TypeAlias = tuple[str | int, ...]

# an experiment needs five levels; what reads the tree later may then recurse without fear
_DEEPEST = 20

# a few hundred make a large experiment; aliases of aliases can make billions of a few lines
_MOST_VALUES = 100_000

_TAG = "tag:yaml.org,2002:"
_COLLECTIONS = {f"{_TAG}map", f"{_TAG}seq"}

_SCALAR_READERS: Mapping[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": lambda text: int(text, 0) if text[:2] in {"0o", "0x"} else int(text),
    "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
}
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
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part or repr(part)}" for part in path)
    return text.removeprefix(".")


def read_yaml(text: str) -> Document:
    """Read one YAML document; a syntax error becomes the document's only problem."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        law = ", ".join(part for part in (error.context, error.problem) if part)
        return _broken(mark.line if mark else 0, f"not valid YAML: {law}.")
    except ReaderError as error:
        line = text.count("\n", 0, error.position)
        return _broken(line, f"not valid YAML: the character U+{error.character:04X} is not allowed.")
    except RecursionError:
        return _broken(0, "not valid YAML: nested too deep.")
    if root is None:
        return _broken(0, "the file is empty.")
    reader = _Reader()
    try:
        tree = reader.value(root, ())
    except _TooManyValues as error:
        return _broken(error.line, f"must not hold more than {_MOST_VALUES} values, aliases written out.")
    return Document(tree, reader.lines, tuple(reader.problems))


def _broken(line: int, message: str) -> Document:
    return Document(None, {}, (Problem(line + 1, "", message),))


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without the scalar rules of YAML 1.1."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's name)


for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"(?:{_pattern.pattern})$"), _first)


class _TooManyValues(Exception):
    """The document is larger than anybody wrote it; `line` is from 0, as PyYAML's."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Reader:
    """Turns YAML nodes into plain values and notes where each one stood."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._open: list[yaml.Node] = []
        self._num_values = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._num_values += 1
        if self._num_values > _MOST_VALUES:
            raise _TooManyValues(node.start_mark.line)
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node in self._open:
            return self._refuse(path, "an anchor may not contain itself.")
        if len(self._open) > _DEEPEST:
            return self._refuse(path, f"must not be nested more than {_DEEPEST} deep.")
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
            return self._refuse_tag(node, path)
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
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(path, "a key must be a single word.", line)
                continue
            key = str(key_node.value)
            if key in content:
                first = self.lines[*path, key]
                self._refuse((*path, key), f"this key stands twice; first in line {first}. Keep one.", line)
                continue
            self.lines[*path, key] = line
            content[key] = self.value(value_node, (*path, key))
        return content

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        tag, text = node.tag.removeprefix(_TAG), str(node.value)
        if tag not in _SCALAR_READERS:
            return self._refuse_tag(node, path)
        try:
            return _SCALAR_READERS[tag](text)
        except (KeyError, ValueError):
            # `!!int x`, or more digits than Python converts
            return self._refuse(path, f"cannot be read as {tag}: {shown(text)}.")

    def _refuse_tag(self, node: yaml.Node, path: Path) -> None:
        tag = node.tag.removeprefix(_TAG)
        self._refuse(path, f"the tag {tag!r} is not allowed; write plain values.")

    def _refuse(self, path: Path, message: str, line: int | None = None) -> None:
        self.problems.append(Problem(line or self.lines[path], dotted(path), message))

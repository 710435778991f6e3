"""YAML 1.2's scalars, the lines of values, and what is refused; PyYAML's own 1.1 reading is the twin."""

import math
from typing import Any

import pytest
import yaml

from msanet_bench.errors import Problem
from msanet_bench.yaml_document import dotted, read_yaml


def value_of(scalar: str) -> Any:
    document = read_yaml(f"key: {scalar}\n")
    assert document.problems == ()
    return document.tree["key"]


def messages(text: str) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.path, problem.message) for problem in read_yaml(text).problems]


@pytest.mark.parametrize(
    ("scalar", "expected", "read_as_1_1"),
    [
        ("1e-3", 0.001, "1e-3"),
        ("1E3", 1000.0, "1E3"),
        ("on", "on", True),
        ("off", "off", False),
        ("yes", "yes", True),
        ("No", "No", False),
        ("1:30", "1:30", 90),
        ("010", 10, 8),
        ("0o10", 8, "0o10"),
        ("1_000", "1_000", 1000),
        ("0b11", "0b11", 3),
    ],
)
def test_yaml_1_1_is_not_followed(scalar: str, expected: object, read_as_1_1: object) -> None:
    value = value_of(scalar)
    assert (value, type(value)) == (expected, type(expected))
    assert yaml.safe_load(f"key: {scalar}\n")["key"] == read_as_1_1


@pytest.mark.parametrize(
    ("scalar", "expected"),
    [
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0x1F", 31),
        ("3.", 3.0),
        (".5", 0.5),
        ("-2.5e+2", -250.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("'3'", "3"),
        ('"on"', "on"),
        ("2026-01-02", "2026-01-02"),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ("!!str 3", "3"),
        ("nan", "nan"),
    ],
)
def test_scalars_are_what_they_look_like(scalar: str, expected: object) -> None:
    value = value_of(scalar)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize("scalar", [".nan", ".NaN", ".NAN"])
def test_nan_is_a_number(scalar: str) -> None:
    assert math.isnan(value_of(scalar))


def test_keys_are_text_even_where_they_look_like_numbers() -> None:
    assert read_yaml("{on: 1, 1e-3: 2, null: 3}").tree == {"on": 1, "1e-3": 2, "null": 3}


def test_a_repeated_key_is_a_problem_and_the_first_value_stays() -> None:
    text = "a: 1\nb:\n  c: 2\n  c: 3\na: 4\n"
    assert yaml.safe_load(text) == {"a": 4, "b": {"c": 3}}
    assert read_yaml(text).tree == {"a": 1, "b": {"c": 2}}
    assert messages(text) == [
        (4, "b.c", "this key stands twice; first in line 3. Keep one."),
        (5, "a", "this key stands twice; first in line 1. Keep one."),
    ]


def test_every_value_has_its_line() -> None:
    document = read_yaml("a: 1\n\nb:\n  - x\n  -\n    c: {d: 2}\n")
    assert document.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 3,
        ("b", 0): 4,
        ("b", 1): 6,
        ("b", 1, "c"): 6,
        ("b", 1, "c", "d"): 6,
    }


def test_what_is_not_in_the_file_has_the_line_of_what_it_would_stand_in() -> None:
    document = read_yaml("a: 1\nb:\n  c: 2\n")
    assert [document.line(path) for path in (("b", "x", 0), ("b", "c", "y"), ("z",))] == [2, 3, 1]
    assert document.problem(("b", "x"), "law.") == Problem(2, "b.x", "law.")


def test_an_alias_repeats_a_value_and_stands_on_its_own_line() -> None:
    document = read_yaml("a: &same\n  b: 1\nc: *same\n")
    assert document.tree == {"a": {"b": 1}, "c": {"b": 1}}
    assert (document.lines["c",], document.problems) == (3, ())


@pytest.mark.parametrize(
    ("text", "line", "path", "message"),
    [
        ("", 1, "", "the file is empty."),
        ("# no more\n", 1, "", "the file is empty."),
        ("a: &x\n  b: *x\n", 2, "a.b", "an anchor may not contain itself."),
        ("a: 1\n? [b]\n: 2\n", 2, "", "a key must be a single word."),
        ("a: !!set {b}\n", 1, "a", "the tag 'set' is not allowed; write plain values."),
        ("a: !mine b\n", 1, "a", "the tag '!mine' is not allowed; write plain values."),
        ("a: !!int b\n", 1, "a", "cannot be read as int: 'b'."),
        ("a: b\n\nc: \x07\n", 3, "", "not valid YAML: the character U+0007 is not allowed."),
        ("a: [\n", 2, "", "not valid YAML: while parsing a flow node, expected the node content"),
        (f"a: {'9' * 5000}\n", 1, "a", "cannot be read as int: '99999"),
        ("[" * 3000, 1, "", "not valid YAML: nested too deep."),
        ("a: " + "[" * 22 + "]" * 22, 1, "a" + "[0]" * 20, "must not be nested more than 20 deep."),
    ],
)
def test_what_yaml_forbids_is_one_problem(text: str, line: int, path: str, message: str) -> None:
    (problem,) = messages(text)
    assert problem[:2] == (line, path)
    assert problem[2].startswith(message)


def test_paths_are_written_with_dots_and_indices() -> None:
    assert dotted(("factors", "attention", 1, "reduction")) == "factors.attention[1].reduction"
    assert dotted(("factors", "")) == "factors.''"
    assert dotted(()) == ""


def test_aliases_of_aliases_are_cut_off() -> None:
    # ten of the line above in each: 10 to the 9th values, in eleven lines
    lines = ["a0: &a0 x", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))]
    (problem,) = read_yaml("\n".join(lines)).problems
    assert problem.message == "must not hold more than 100000 values, aliases written out."
    assert problem.path == ""


@pytest.mark.parametrize(("items", "allowed"), [(99_998, True), (99_999, False)])
def test_the_limit_counts_every_value(items: int, allowed: bool) -> None:  # noqa: FBT001
    # the mapping and the sequence are values too
    assert (read_yaml(f"a: [{'1,' * items}]").problems == ()) is allowed

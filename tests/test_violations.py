"""Pydantic's findings in our words: law, value, way out."""

import re
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from msanet_bench.violations import Violation, shown, suggestion, violations


class Sample(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    count: int = Field(default=1, gt=0, le=9)
    rate: float = Field(default=0.5, ge=0, lt=1)
    name: str = "x"
    flag: bool = True
    kind: Literal["a", "b"] = "a"
    taps: tuple[int, ...] = Field(default=(1,), strict=False, min_length=1, max_length=2)
    options: dict[str, int] = Field(default_factory=dict)
    pattern: re.Pattern[str] = re.compile("x")


def found(**fields: Any) -> list[Violation]:
    with pytest.raises(ValidationError) as caught:
        Sample(**fields)
    return list(violations(caught.value, Sample.model_fields))


def test_entries_that_are_wrong_do_not_make_a_list_short_as_well() -> None:
    assert [message for _, message in found(taps=["x"])] == ["must be a whole number, but got 'x'."]
    assert [message for _, message in found(taps=[])] == ["must have 1 or more entries, but got []."]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("count", 0, "must be greater than 0, but got 0."),
        ("count", 10, "must be at most 9, but got 10."),
        ("count", 1.5, "must be a whole number, but got 1.5."),
        ("rate", -1, "must be at least 0.0, but got -1."),
        ("rate", 1, "must be less than 1.0, but got 1."),
        ("rate", "x", "must be a number, but got 'x'."),
        ("rate", float("nan"), "must be finite, but got nan."),
        ("name", 3, "must be text, but got 3."),
        ("flag", 1, "must be true or false, but got 1."),
        ("kind", "c", "must be 'a' or 'b', but got 'c'."),
        ("taps", 3, "must be a list, but got 3."),
        ("taps", [], "must have 1 or more entries, but got []."),
        ("taps", [1, 2, 3], "must have 2 or fewer entries, but got [1, 2, 3]."),
        ("options", [1], "must be a mapping, but got [1]."),
        ("pattern", "(", "Input should be a valid regular expression, but got '('."),
        ("cuont", 1, "unknown key. Did you mean 'count'? Known: count, flag, kind, name, options, pattern, "),
    ],
)
def test_each_broken_rule_has_its_law_and_value(field: str, value: object, message: str) -> None:
    (violation,) = found(**{field: value})
    assert violation.location == (field,)
    assert violation.message.startswith(message)


def test_every_broken_rule_is_found_with_its_place() -> None:
    places = [violation.location for violation in found(count=0, options={"a": "x"}, taps=[1, "x"])]
    assert places == [("count",), ("taps", 1), ("options", "a")]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "nothing"), (True, "true"), ("on", "'on'"), ((1, 2), "[1, 2]"), ("x" * 99, f"'{'x' * 56}...")],
)
def test_values_are_shown_as_their_reader_wrote_them(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("name", "known", "text"),
    [
        ("gama", ["gamma", "b"], "Did you mean 'gamma'? Known: b, gamma."),
        ("zzz", ["gamma", "b"], "Known: b, gamma."),
        ("gama", [], "Nothing may be set here."),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(name: str, known: list[str], text: str) -> None:
    assert suggestion(name, known) == text

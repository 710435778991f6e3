"""Numbers as text."""

import math
from collections.abc import Callable

import pytest

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.report.numbers import (
    count,
    difference,
    fixed,
    mebibytes,
    milliseconds,
    percent,
    plural,
    points,
    points_interval,
    short_count,
    three_digits,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.4, "999"), (999.6, "1.00 thousand"), (394_000, "394 thousand"), (-1.08e6, "1.08 million")],
)
def test_a_short_count_is_told_in_the_unit_of_what_it_rounds_to(value: float, text: str) -> None:
    assert short_count(value) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.012, "+1.20"), (-0.00375, "-0.38"), (0.0, "0.00"), (-0.00001, "0.00"), (0.00001, "0.00")],
)
def test_points_carry_a_sign_unless_they_round_to_zero(fraction: float, text: str) -> None:
    assert points(fraction) == text


def test_accuracies_have_two_decimals() -> None:
    assert percent(337 / 360) == "93.61"


@pytest.mark.parametrize("write", [percent, points, milliseconds, mebibytes, count])
def test_what_is_absent_is_a_dash(write: Callable[[float | None], str]) -> None:
    assert write(None) == "-"


def test_an_interval_that_does_not_exist_is_a_dash() -> None:
    assert points_interval(math.nan, math.nan) == "-"
    assert percent(math.nan) == "-"


def test_the_last_bits_do_not_decide_a_tie() -> None:
    assert fixed(1.125 + 4e-13, 2) == fixed(1.125 - 4e-13, 2)


def test_counts_are_grouped_by_thousands() -> None:
    assert (count(15_172_498), count(-8199.9999999, signed=True), count(3, signed=True)) == (
        "15,172,498",
        "-8,200",
        "+3",
    )


def test_seconds_are_written_as_milliseconds() -> None:
    assert milliseconds(0.00123456) == "1.23"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.97237, "0.972"),
        (0.9996, "1.00"),
        (1.0274, "1.03"),
        (14.2315, "14.2"),
        (99.96, "100"),
        (1028.42, "1,030"),
        (12_345_678.0, "12,300,000"),
        (0.0, "0.00"),
        (None, "-"),
    ],
)
def test_what_is_known_to_a_per_cent_has_three_digits(value: float | None, text: str) -> None:
    assert three_digits(value) == text


def test_bytes_are_written_as_mebibytes() -> None:
    assert mebibytes(3 * 2**19) == "1.50"


def test_a_difference_without_an_interval_stands_alone() -> None:
    assert difference(Contrast(0.01, math.nan, 0, math.nan, math.nan)) == "+1.00 pp"
    assert difference(Contrast(0.01, 0.001, 4, 0.007, 0.013)) == "+1.00 pp [+0.70, +1.30]"


def test_one_is_singular() -> None:
    assert (plural(1, "seed"), plural(0, "seed")) == ("1 seed", "0 seeds")

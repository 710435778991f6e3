"""Student's t against printed tables, and intervals against numbers worked out by hand."""

import math

import pytest

from msanet_bench.claims.student import NOWHERE_KNOWN, mean_interval, t_quantile

# Fisher and Yates, Statistical Tables for Biological, Agricultural and Medical Research, table III
PRINTED = {
    0.95: {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 9: 2.262, 10: 2.228, 29: 2.045, 120: 1.980},
    0.99: {1: 63.657, 2: 9.925, 3: 5.841, 4: 4.604, 5: 4.032, 9: 3.250, 10: 3.169, 29: 2.756, 120: 2.617},
}


@pytest.mark.parametrize(
    ("confidence", "degrees", "printed"),
    [(level, degrees, value) for level, column in PRINTED.items() for degrees, value in column.items()],
)
def test_quantiles_are_those_of_the_printed_tables(confidence: float, degrees: int, printed: float) -> None:
    assert t_quantile(confidence, degrees) == pytest.approx(printed, abs=0.0005)


@pytest.mark.parametrize(("degrees", "confidence"), [(1, 0.5), (1, 0.9), (2, 0.9), (2, 0.9999)])
def test_quantiles_of_one_and_two_degrees_are_their_closed_forms(degrees: int, confidence: float) -> None:
    one = math.tan(math.pi * confidence / 2)
    two = confidence * math.sqrt(2 / (1 - confidence**2))
    assert t_quantile(confidence, degrees) == pytest.approx({1: one, 2: two}[degrees], rel=1e-9)


def test_the_interval_of_sleep_is_the_published_one() -> None:
    """Student 1908, hours of sleep gained by two drugs; R's paired t.test prints -2.4598858 -0.7001142."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    interval = mean_interval([a - b for a, b in zip(first, second, strict=True)], 0.95)
    assert interval == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)


def test_an_interval_of_three_values_by_hand() -> None:
    # mean 2, sd 1, so 4.302653 / sqrt(3) to each side
    assert mean_interval([1.0, 2.0, 3.0], 0.95) == pytest.approx((2 - 2.4841377, 2 + 2.4841377), abs=1e-6)


def test_a_spread_of_rounding_alone_is_none() -> None:
    """Of 1000 images 900 against 800, and 800 against 700: each is 100 images, whatever floats make of it."""
    differences = [0.9 - 0.8, 0.8 - 0.7]
    assert differences[0] != differences[1]
    assert mean_interval(differences, 0.95) == NOWHERE_KNOWN


@pytest.mark.parametrize("values", [[], [1.0], [0.5, 0.5, 0.5]])
def test_without_a_spread_nothing_is_known(values: list[float]) -> None:
    assert mean_interval(values, 0.95) == NOWHERE_KNOWN

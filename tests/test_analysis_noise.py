"""Chance, in numbers worked out by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f, levene

from msanet_bench.analysis.contrasts import fit_blocks
from msanet_bench.analysis.noise import (
    churn_between,
    churn_between_seeds,
    pairing_gain,
    sampling_error,
    seed_variance,
    unequal_spread_p,
)


def test_the_variance_between_seeds_is_pooled_over_variants_with_several() -> None:
    # (1 + 1) + (4 + 0 + 4) over 1 + 2 degrees of freedom.
    assert seed_variance({"a": [1.0, 3.0], "b": [0.0, 2.0, 4.0], "c": [9.0]}) == pytest.approx(10 / 3)


def test_one_seed_has_no_variance() -> None:
    assert math.isnan(seed_variance({"a": [1.0], "b": []}))


def test_seeds_that_explain_most_of_the_spread_make_pairing_pay() -> None:
    values = {"a": [0.0, 10.0, 20.0], "b": [1.0, 10.0, 22.0]}
    fit = fit_blocks(["a"] * 3 + ["b"] * 3, [0, 1, 2] * 2, values["a"] + values["b"])
    # Within variants: 100 and 111; the differences 1, 0, 2 have variance 1, half of which is the error.
    assert pairing_gain(values, fit) == pytest.approx(105.5 / 0.5)


def test_without_an_error_there_is_no_gain() -> None:
    fit = fit_blocks(["a", "b"], [0, 0], [1.0, 2.0])
    assert math.isnan(pairing_gain({"a": [1.0], "b": [2.0]}, fit))


def test_the_sampling_error_of_93_percent_on_ten_thousand_images_is_a_quarter_point() -> None:
    assert sampling_error(0.93, 10_000) == pytest.approx(0.00255, abs=5e-6)


groups = st.lists(st.integers(3, 6), min_size=2, max_size=5)


@settings(deadline=None, max_examples=30)
@given(groups, st.integers(0, 2**32 - 1))
def test_unequal_spread_is_browns_and_forsythes_p_of_scipy(sizes: list[int], state: int) -> None:
    source = np.random.default_rng(state)
    rows = [source.normal(0, 1 + place, size) for place, size in enumerate(sizes)]
    names = [f"v{place}" for place, row in enumerate(rows) for _ in row]
    oracle = levene(*rows, center="median").pvalue
    assert unequal_spread_p(names, list(np.concatenate(rows))) == pytest.approx(oracle, abs=1e-9)


def test_variants_with_two_values_say_nothing_about_spread() -> None:
    """Two values lie equally far from their median, and what rounding leaves is no error to compare with."""
    source = np.random.default_rng(1)
    rows = source.normal(size=8)
    names = ["a"] * 4 + ["b"] * 4
    with_pair = unequal_spread_p([*names, "c", "c"], [*rows, 99.0, 0.1])
    assert with_pair == unequal_spread_p(names, list(rows))
    assert math.isnan(unequal_spread_p(list("aabbcc"), [0.1, 0.7, -0.3, 0.8, 5.1, -9.7]))


def test_spread_by_hand_is_about_the_median() -> None:
    """Distances 1, 0, 3 and 1, 0, 8, whose means 4/3 and 3 lie 5/6 from their own."""
    distances = (1.0, 0.0, 3.0), (1.0, 0.0, 8.0)
    between = 3 * 2 * (5 / 6) ** 2
    within = sum(sum((d - sum(group) / 3) ** 2 for d in group) for group in distances) / 4
    found = unequal_spread_p(["a"] * 3 + ["b"] * 3, [4.0, 5.0, 8.0, -1.0, 0.0, 8.0])
    assert found == pytest.approx(f.sf(between / within, 1, 4))


def test_a_spread_ten_times_as_wide_is_noticed() -> None:
    source = np.random.default_rng(4)
    rows = source.normal(0, [0.1] * 10 + [1.0] * 10)
    assert unequal_spread_p(["a"] * 10 + ["b"] * 10, list(rows)) < 0.01


def test_churn_between_seeds_is_the_mean_over_pairs_of_seeds() -> None:
    correct = np.random.default_rng(3).random((4, 30)) < 0.7
    pairs = [np.mean(a != b) for a, b in itertools.combinations(correct, 2)]
    assert churn_between_seeds(correct) == pytest.approx(np.mean(pairs))
    assert math.isnan(churn_between_seeds(correct[:1]))


def test_churn_between_variants_is_the_share_of_bits_that_differ() -> None:
    first = np.array([[True, True, False, False]])
    second = np.array([[True, False, True, False]])
    assert churn_between(first, second) == 0.5

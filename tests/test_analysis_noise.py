"""Chance, in numbers worked out by hand."""

import math

import pytest

from msanet_bench.analysis.contrasts import fit_blocks
from msanet_bench.analysis.noise import pairing_gain, sampling_error, seed_variance


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

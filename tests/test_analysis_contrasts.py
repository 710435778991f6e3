"""Published analyses, statsmodels as a second implementation, and what must not change an effect."""

import itertools
import math
import random
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols

from msanet_bench.analysis.contrasts import (
    BlockFit,
    NotEstimableError,
    contrast,
    fit_blocks,
    mean_interval,
)
from msanet_bench.analysis.weights import weights_difference


def signs(names: str, cells: list[str]) -> dict[str, float]:
    """The weights of a main effect or an interaction of a full two-level factorial, by the product of signs.

    A cell is named by its letters: "TK" has T and K at their high level, "-" has none.
    """
    return {cell: math.prod(1 if name in cell else -1 for name in names) * 2 / len(cells) for cell in cells}


def yates(letters: str) -> list[str]:
    """All cells of a two-level factorial, the first letter changing fastest."""
    combinations = itertools.product((False, True), repeat=len(letters))
    return [
        "".join(letter for letter, on in zip(letters, reversed(levels), strict=True) if on) or "-"
        for levels in combinations
    ]


@pytest.fixture
def pilot_plant() -> BlockFit:
    """Box, Hunter and Hunter, chapter 5: a duplicated 2^3 factorial."""
    pairs = [(59, 61), (74, 70), (50, 58), (69, 67), (50, 54), (81, 85), (46, 44), (79, 81)]
    rows = [(cell, value) for cell, pair in zip(yates("TCK"), pairs, strict=True) for value in pair]
    return fit_blocks([cell for cell, _ in rows], ["all"] * len(rows), [value for _, value in rows])


@pytest.mark.parametrize(
    ("effect", "published"),
    [("T", 23.0), ("C", -5.0), ("K", 1.5), ("TC", 1.5), ("TK", 10.0), ("CK", 0.0), ("TCK", 0.5)],
)
def test_the_effects_of_the_pilot_plant_are_the_published_ones(
    pilot_plant: BlockFit, effect: str, published: float
) -> None:
    found = contrast(pilot_plant, signs(effect, yates("TCK")))
    assert found.estimate == pytest.approx(published, abs=1e-12)
    assert found.se == pytest.approx(math.sqrt(2))


def test_the_error_and_interval_of_the_pilot_plant_are_the_published_ones(pilot_plant: BlockFit) -> None:
    temperature = contrast(pilot_plant, signs("T", yates("TCK")))
    assert (pilot_plant.mean_square, pilot_plant.df) == (pytest.approx(8), 8)
    assert (temperature.low, temperature.high) == (
        pytest.approx(19.739, abs=5e-4),
        pytest.approx(26.261, abs=5e-4),
    )


@pytest.mark.parametrize(
    ("variant", "baseline", "difference"),
    [("TCK", "CK", 35), ("TCK", "TK", -3), ("TCK", "TC", 12), ("T", "-", 12), ("C", "-", -6), ("K", "-", -8)],
)
def test_single_differences_of_the_pilot_plant_are_differences_of_means(
    pilot_plant: BlockFit, variant: str, baseline: str, difference: float
) -> None:
    assert contrast(pilot_plant, weights_difference(variant, baseline)).estimate == pytest.approx(difference)


NPK = {
    "N": "010111000110110010101100",
    "P": "110001011100010110010110",
    "K": "100101100101011000111010",
}
NPK_YIELD = (
    *(49.5, 62.8, 46.8, 57.0, 59.8, 58.5, 55.5, 56.0, 62.8, 55.8, 69.5, 55.0),
    *(62.0, 48.8, 45.5, 44.2, 52.0, 51.5, 49.8, 48.8, 57.2, 59.0, 53.2, 56.0),
)


@pytest.fixture
def peas() -> BlockFit:
    """R's `npk`: six incomplete blocks of four, the three-way interaction confounded with blocks."""
    cells = [
        "".join(letter for letter, digits in NPK.items() if digits[row] == "1") or "-" for row in range(24)
    ]
    return fit_blocks(cells, [row // 4 for row in range(24)], NPK_YIELD)


@pytest.mark.parametrize(
    ("effect", "sum_of_squares"),
    [("N", 189.2817), ("P", 8.4017), ("K", 95.2017), ("NP", 21.2817), ("NK", 33.1350), ("PK", 0.4817)],
)
def test_the_effects_of_the_incomplete_npk_blocks_have_the_sums_of_squares_that_r_prints(
    peas: BlockFit, effect: str, sum_of_squares: float
) -> None:
    found = contrast(peas, signs(effect, yates("NPK")))
    assert 24 / 4 * found.estimate**2 == pytest.approx(sum_of_squares, abs=5e-5)
    assert found.se == pytest.approx(1.60419, abs=5e-6)


def test_the_interval_of_nitrogen_is_the_one_that_r_prints(peas: BlockFit) -> None:
    nitrogen = contrast(peas, signs("N", yates("NPK")))
    assert (math.sqrt(peas.mean_square), peas.df) == (pytest.approx(3.929447, abs=5e-7), 12)
    assert nitrogen.estimate == pytest.approx(5.6167, abs=5e-5)
    assert (nitrogen.low, nitrogen.high) == (
        pytest.approx(2.1214, abs=5e-5),
        pytest.approx(9.1119, abs=5e-5),
    )


def test_the_interaction_that_is_confounded_with_blocks_is_refused(peas: BlockFit) -> None:
    with pytest.raises(NotEstimableError, match="cannot be told from the differences between the blocks"):
        contrast(peas, signs("NPK", yates("NPK")))


MONTGOMERY = {
    "A": 21.625,
    "B": 3.125,
    "C": 9.875,
    "D": 14.625,
    "AB": 0.125,
    "AC": -18.125,
    "AD": 16.625,
    "BC": 2.375,
    "BD": -0.375,
    "CD": -1.125,
    "ABC": 1.875,
    "ABD": 4.125,
    "ACD": -1.625,
    "BCD": -2.625,
    "ABCD": 1.375,
}


@pytest.mark.parametrize(("effect", "published"), MONTGOMERY.items())
def test_an_unreplicated_factorial_has_effects_but_no_interval(effect: str, published: float) -> None:
    rates = [45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96]
    fit = fit_blocks(yates("ABCD"), [0] * 16, rates)
    found = contrast(fit, signs(effect, yates("ABCD")))
    assert found.estimate == pytest.approx(published)
    assert (found.df, found.has_interval, found.excludes_zero) == (0, False, False)
    assert math.isnan(found.se)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


SHOES_A = (13.2, 8.2, 10.9, 14.3, 10.7, 6.6, 9.5, 10.8, 8.8, 13.3)
SHOES_B = (14.0, 8.8, 11.2, 14.2, 11.8, 6.4, 9.8, 11.3, 9.3, 13.6)


def test_two_variants_in_blocks_are_the_paired_t_interval_of_the_boys_shoes() -> None:
    fit = fit_blocks(["A"] * 10 + ["B"] * 10, [*range(10), *range(10)], SHOES_A + SHOES_B)
    found = contrast(fit, weights_difference("B", "A"))
    assert (found.estimate, found.df) == (pytest.approx(0.41), 9)
    assert found.estimate / found.se == pytest.approx(3.3489, abs=5e-5)
    assert (found.low, found.high) == (pytest.approx(0.133046, abs=5e-7), pytest.approx(0.686954, abs=5e-7))
    assert found.excludes_zero


def test_without_the_boys_as_blocks_the_difference_between_the_shoes_is_lost() -> None:
    fit = fit_blocks(["A"] * 10 + ["B"] * 10, ["all"] * 20, SHOES_A + SHOES_B)
    assert not contrast(fit, weights_difference("B", "A")).excludes_zero


def test_the_mean_interval_of_the_differences_between_the_shoes_is_the_published_one() -> None:
    found = mean_interval([b - a for a, b in zip(SHOES_A, SHOES_B, strict=True)])
    assert (found.mean, found.sd, found.n) == (pytest.approx(0.41), pytest.approx(0.38715, abs=5e-6), 10)
    assert (found.low, found.high) == (pytest.approx(0.133046, abs=5e-7), pytest.approx(0.686954, abs=5e-7))


def test_one_value_has_a_mean_and_no_interval() -> None:
    found = mean_interval([0.5])
    assert (found.mean, found.n, found.has_interval, found.excludes_zero) == (0.5, 1, False, False)
    assert math.isnan(found.low)
    assert math.isnan(found.sd)


def unbalanced() -> pd.DataFrame:
    generator = np.random.default_rng(5)
    rows = [
        (v, b) for v in "abcd" for b in range(5) if (v, b) not in {("a", 0), ("c", 3), ("d", 1), ("d", 2)}
    ]
    frame = pd.DataFrame(rows, columns=["variant", "block"])
    return frame.assign(y=generator.normal(size=len(frame)) + frame["block"])


@pytest.mark.parametrize("variant", ["b", "c", "d"])
def test_missing_cells_are_handled_as_statsmodels_does(variant: str) -> None:
    frame = unbalanced()
    oracle = ols("y ~ C(variant) + C(block)", frame).fit()
    term = f"C(variant)[T.{variant}]"
    fit = fit_blocks(list(frame["variant"]), list(frame["block"]), list(frame["y"]))
    found = contrast(fit, weights_difference(variant, "a"))
    assert found.estimate == pytest.approx(oracle.params[term])
    assert found.se == pytest.approx(oracle.bse[term])
    assert found.df == oracle.df_resid
    assert (found.low, found.high) == pytest.approx(tuple(oracle.conf_int().loc[term]))


def test_variants_that_share_no_block_are_not_compared() -> None:
    fit = fit_blocks(["a", "a", "b", "b"], [0, 1, 2, 3], [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(NotEstimableError, match=r"contrast of b, a cannot .* blocks 0, 1, 2, 3"):
        contrast(fit, weights_difference("b", "a"))


def test_variants_that_share_a_block_only_through_a_third_are_compared() -> None:
    fit = fit_blocks(["a", "c", "c", "b"], [0, 0, 1, 1], [1.0, 3.0, 10.0, 11.0])
    # a is 2 below c, b is 1 above c.
    assert contrast(fit, weights_difference("b", "a")).estimate == pytest.approx(3)


def test_a_single_mean_is_no_contrast() -> None:
    fit = fit_blocks(["a", "b"], [0, 0], [1.0, 2.0])
    with pytest.raises(NotEstimableError):
        contrast(fit, {"a": 1.0})


def test_a_variant_without_a_value_is_named() -> None:
    fit = fit_blocks(["a", "b"], [0, 0], [1.0, 2.0])
    with pytest.raises(NotEstimableError, match="no value of c"):
        contrast(fit, weights_difference("c", "a"))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2, 1 and 2"):
        fit_blocks(["a", "b"], [0], [1.0, 2.0])


tables = st.tuples(st.integers(2, 5), st.integers(2, 4), st.integers(0, 2**32 - 1))


def table(variants: int, seeds: int, state: int) -> tuple[list[str], list[int], list[float]]:
    generator = np.random.default_rng(state)
    cells = [(f"v{v}", s) for v in range(variants) for s in range(seeds)]
    return [v for v, _ in cells], [s for _, s in cells], list(generator.normal(0.9, 0.02, len(cells)))


def differences(fit: BlockFit) -> Mapping[str, tuple[float, float]]:
    found = {name: contrast(fit, weights_difference(name, "v0")) for name in fit.variants if name != "v0"}
    return {name: (one.estimate, one.se) for name, one in found.items()}


@settings(deadline=None, max_examples=30)
@given(tables, st.lists(st.floats(-100, 100), min_size=4, max_size=4))
def test_a_constant_added_to_a_seed_changes_nothing(shape: tuple[int, int, int], shifts: list[float]) -> None:
    names, seeds, values = table(*shape)
    shifted = [value + shifts[seed] for value, seed in zip(values, seeds, strict=True)]
    before, after = (
        differences(fit_blocks(names, seeds, values)),
        differences(fit_blocks(names, seeds, shifted)),
    )
    for name, pair in before.items():
        assert after[name] == pytest.approx(pair, abs=1e-10)


@settings(deadline=None, max_examples=30)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(shape: tuple[int, int, int], shuffler: random.Random) -> None:
    rows = list(zip(*table(*shape), strict=True))
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    before, after = (differences(fit_blocks(*zip(*order, strict=True))) for order in (rows, shuffled))
    for name, pair in before.items():
        assert after[name] == pytest.approx(pair, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(tables)
def test_in_a_complete_design_a_difference_is_the_mean_of_paired_differences(
    shape: tuple[int, int, int],
) -> None:
    names, seeds, values = table(*shape)
    by_cell = dict(zip(zip(names, seeds, strict=True), values, strict=True))
    for name, (estimate, _) in differences(fit_blocks(names, seeds, values)).items():
        paired = [by_cell[name, seed] - by_cell["v0", seed] for seed in set(seeds)]
        assert estimate == pytest.approx(np.mean(paired), abs=1e-12)


@given(st.floats(0.01, 1.0))
@settings(deadline=None, max_examples=30)
def test_equal_values_everywhere_give_exactly_zero(value: float) -> None:
    fit = fit_blocks(["a", "b", "c"] * 3, [0, 0, 0, 1, 1, 1, 2, 2, 2], [value] * 9)
    found = contrast(fit, weights_difference("b", "a"))
    assert (found.estimate, found.low, found.high, found.excludes_zero) == (0.0, 0.0, 0.0, False)


def test_intervals_of_simulated_null_effects_cover_zero_as_often_as_they_say() -> None:
    generator = np.random.default_rng(11)
    names, seeds = [v for v in "abcd" for _ in range(3)], [0, 1, 2] * 4
    covered = 0
    for _ in range(1000):
        shift = generator.normal(0, 1, 3)
        values = shift[seeds] + generator.normal(0, 0.3, 12)
        covered += not contrast(fit_blocks(names, seeds, values), weights_difference("b", "a")).excludes_zero
    # Three standard errors of a proportion of 1000 around 0.95.
    assert 0.93 < covered / 1000 < 0.97

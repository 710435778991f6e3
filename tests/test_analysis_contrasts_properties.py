"""What must not change an effect, and dense least squares as a second implementation."""

import math
import random
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msanet_bench.analysis.contrasts import BlockFit, NotEstimableError, contrast, fit_blocks
from msanet_bench.analysis.weights import weights_difference

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


@settings(deadline=None, max_examples=30)
@given(tables)
def test_other_names_for_variants_and_seeds_change_nothing(shape: tuple[int, int, int]) -> None:
    names, seeds, values = table(*shape)
    renamed = fit_blocks([f"x{name}" for name in names], [f"seed {seed}" for seed in seeds], values)
    for name, pair in differences(fit_blocks(names, seeds, values)).items():
        found = contrast(renamed, weights_difference(f"x{name}", "xv0"))
        assert (found.estimate, found.se) == pair


@settings(deadline=None, max_examples=30)
@given(tables, st.floats(1e-3, 1e3))
def test_another_unit_scales_estimates_and_errors(shape: tuple[int, int, int], unit: float) -> None:
    names, seeds, values = table(*shape)
    scaled = differences(fit_blocks(names, seeds, [unit * value for value in values]))
    for name, (estimate, se) in differences(fit_blocks(names, seeds, values)).items():
        assert scaled[name] == pytest.approx((unit * estimate, unit * se), rel=1e-6, abs=1e-9 * unit)


@settings(deadline=None, max_examples=30)
@given(tables)
def test_rows_that_are_there_twice_change_no_estimate_and_no_sum_of_squares(
    shape: tuple[int, int, int],
) -> None:
    names, seeds, values = table(*shape)
    once, twice = fit_blocks(names, seeds, values), fit_blocks(names * 2, seeds * 2, values * 2)
    for name, (estimate, _) in differences(once).items():
        found = contrast(twice, weights_difference(name, "v0"))
        assert found.estimate == pytest.approx(estimate, abs=1e-12)
    assert twice.df == once.df + len(values)
    assert twice.mean_square * twice.df == pytest.approx(2 * once.mean_square * once.df)


cells_of_designs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=24)


@settings(deadline=None, max_examples=200)
@given(cells_of_designs, st.integers(0, 2**32 - 1))
def test_any_design_is_fitted_or_refused_as_dense_least_squares_say(
    cells: list[tuple[int, int]], state: int
) -> None:
    """Centring variants out and solving for the blocks, against the whole design matrix."""
    source = np.random.default_rng(state)
    names, blocks = [f"v{v}" for v, _ in cells], [b for _, b in cells]
    values = source.normal(size=len(cells))
    fit = fit_blocks(names, blocks, values.tolist())
    drawn = source.normal(size=len(fit.variants))
    weights = dict(zip(fit.variants, drawn - drawn.mean(), strict=True))

    rows = zip(names, map(str, blocks), strict=True)
    design = np.array([[n == v for v in fit.variants] + [b == c for c in fit.blocks] for n, b in rows], float)
    inverse, rank = np.linalg.pinv(design.T @ design), np.linalg.matrix_rank(design)
    wanted = np.array([*weights.values(), *[0.0] * len(fit.blocks)])
    assert fit.df == len(cells) - rank
    if not np.allclose(wanted @ np.linalg.pinv(design) @ design, wanted, atol=1e-8):
        with pytest.raises(NotEstimableError):
            contrast(fit, weights)
        return
    solution = inverse @ design.T @ values
    residuals = values - design @ solution
    found = contrast(fit, weights)
    assert found.estimate == pytest.approx(wanted @ solution, abs=1e-9)
    assert fit.residuals == pytest.approx(residuals, abs=1e-9)
    if fit.df:
        mean_square = residuals @ residuals / fit.df
        assert found.se == pytest.approx(math.sqrt(mean_square * (wanted @ inverse @ wanted)), abs=1e-9)

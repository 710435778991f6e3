"""Fronts by brute force, and probabilities that are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_t, norm

from msanet_bench.analysis.contrasts import BlockFit, contrast, fit_blocks
from msanet_bench.analysis.pareto import (
    draw_costs,
    draw_means,
    non_dominated,
    num_draws,
    probability_best,
    probability_on_front,
)
from msanet_bench.analysis.weights import weights_difference


def by_definition(means: list[int], costs: list[int]) -> list[bool]:
    """On the front is whom nobody beats: as good and as cheap, and better in one of the two."""
    points = list(zip(means, costs, strict=True))
    return [
        not any(m >= mean and c <= cost and (m > mean or c < cost) for m, c in points)
        for mean, cost in points
    ]


few = st.integers(0, 4)  # so that ties are common


@given(st.lists(st.tuples(few, few), min_size=1, max_size=12))
def test_the_front_is_the_one_of_the_definition(points: list[tuple[int, int]]) -> None:
    means, costs = ([float(point[axis]) for point in points] for axis in (0, 1))
    found = non_dominated(np.array(means), np.array(costs))
    assert found.tolist() == by_definition([m for m, _ in points], [c for _, c in points])


def test_a_front_by_hand() -> None:
    means, costs = np.array([90.0, 91.0, 91.0, 89.0, 92.0, 91.0]), np.array([1.0, 2.0, 2.0, 3.0, 4.0, 5.0])
    assert non_dominated(means, costs).tolist() == [True, True, True, False, True, False]


def equals(seeds: int = 4) -> BlockFit:
    """Two variants with equal means, and differences between seeds."""
    up_and_down = [1.0, -1.0] * (seeds // 2)
    return fit_blocks(
        ["a"] * seeds + ["b"] * seeds, [*range(seeds)] * 2, [*up_and_down, *[-y for y in up_and_down]]
    )


def test_of_two_equals_each_is_best_in_half_of_the_draws() -> None:
    # three standard errors of a proportion of 10,000
    assert probability_best(draw_means(equals())) == pytest.approx([0.5, 0.5], abs=0.015)


def test_ties_are_shared() -> None:
    means = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0]])
    assert probability_best(means) == pytest.approx([0.25, 0.75, 0.0])


def test_draws_spread_as_the_contrasts_say() -> None:
    """Of an incomplete design: the variance of a t with df degrees is df / (df - 2) of its scale."""
    source = np.random.default_rng(5)
    cells = [(v, s) for v in "abcd" for s in range(5) if (v, s) not in {("a", 0), ("b", 3), ("b", 4)}]
    names, seeds = zip(*cells, strict=True)
    fit = fit_blocks(names, seeds, source.normal(size=len(cells)).tolist())
    means = draw_means(fit)
    for name in "bcd":
        known = contrast(fit, weights_difference(name, "a"))
        drawn = means[:, fit.place[name]] - means[:, fit.place["a"]]
        expected = known.se * math.sqrt(known.df / (known.df - 2))
        assert drawn.mean() == pytest.approx(known.estimate, abs=4 * known.se / 100)
        assert drawn.std() == pytest.approx(expected, rel=0.04)


def test_the_probability_of_being_better_is_the_tail_of_students_t() -> None:
    source = np.random.default_rng(2)
    fit = fit_blocks(["a"] * 5 + ["b"] * 5, [*range(5)] * 2, source.normal(size=10).tolist())
    known = contrast(fit, weights_difference("b", "a"))
    tail = multivariate_t.cdf(known.estimate / known.se, df=known.df)
    assert probability_best(draw_means(fit))[fit.place["b"]] == pytest.approx(tail, abs=0.015)


def test_probabilities_of_fronts_follow_from_those_of_one_difference() -> None:
    """The dearer of two is on the front when it is better; the cheaper always is."""
    means = draw_means(equals())
    costs = draw_costs([1.0, 2.0], [0.0, 0.0], len(means))
    cheap, dear = probability_on_front(means, costs)
    assert cheap == 1
    assert dear == pytest.approx(0.5, abs=0.015)


def test_costs_are_drawn_with_their_errors_and_exact_ones_not_at_all() -> None:
    costs = draw_costs([3.0, 10.0], [0.0, 2.0], 10_000)
    assert set(costs[:, 0]) == {3.0}
    assert np.mean(costs[:, 1] < 12) == pytest.approx(norm.cdf(1), abs=0.015)


def test_uncertain_costs_make_the_dearer_one_the_cheaper_one_at_times() -> None:
    means = np.tile([0.0, 1.0], (10_000, 1))
    costs = draw_costs([1.0, 2.0], [0.0, 1.0], 10_000)
    worse, better = probability_on_front(means, costs)
    assert better == 1
    assert worse == pytest.approx(norm.cdf(1), abs=0.015)


def test_draws_are_the_same_each_time_and_fewer_for_very_many_variants() -> None:
    assert np.array_equal(draw_means(equals()), draw_means(equals()))
    assert [num_draws(n) for n in (1, 500, 1000, 10_000, 100_000)] == [10_000, 10_000, 5_000, 500, 500]


def test_draws_do_not_depend_on_which_eigenvectors_the_machine_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """All eigenvalues but one of a complete design are equal: any rotation of their vectors is right."""
    fit, expected = equals(6), draw_means(equals(6))
    found = np.linalg.eigh(fit.inverse)
    same = np.flatnonzero(found.eigenvalues > 1e-9)
    rotation, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(len(same), len(same))))
    rotated = found.eigenvectors.copy()
    rotated[:, same] = rotated[:, same] @ rotation
    monkeypatch.setattr(np.linalg, "eigh", lambda _: (found.eigenvalues, rotated))
    assert draw_means(fit) == pytest.approx(expected, abs=1e-9)

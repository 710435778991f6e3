import math

import numpy as np
import pytest
from scipy.stats import binom, kendalltau
from scipy.stats import t as students_t

from msanet_bench.analysis.latency import (
    Level,
    Visits,
    centre,
    drift,
    kendall_tau,
    levels_of,
    percentile,
    rank_intervals,
    ratio,
    samples_needed,
    split_half_tau,
)

RNG = np.random.default_rng(0)


def visits(log_seconds_RV: np.ndarray, rounds_per_super_round: int = 10) -> Visits:
    """Everybody in every round; a round is a cell."""
    rounds, contenders = log_seconds_RV.shape
    number_RV = np.arange(rounds)[:, None] * np.ones(contenders, dtype=int)
    contender_RV = np.ones(rounds, dtype=int)[:, None] * np.arange(contenders)
    return Visits(
        contender=contender_RV.ravel(),
        super_round=(number_RV // rounds_per_super_round).ravel(),
        cell=number_RV.ravel(),
        log_seconds=log_seconds_RV.ravel(),
    )


def test_the_speed_of_a_moment_is_taken_out_exactly_when_there_is_no_other_noise() -> None:
    moment_R, contender_V = RNG.normal(size=40), np.array([0.0, 0.1, 0.3])
    levels = levels_of(visits(moment_R[:, None] + contender_V))
    assert [np.ptp(level.log_seconds) for level in levels] == pytest.approx([0.0] * 3, abs=1e-12)
    for level, truth in zip(levels, contender_V, strict=True):
        found = ratio(level, levels[0])
        assert (found.estimate, found.low, found.high) == pytest.approx([math.exp(truth)] * 3)


def test_contenders_that_never_met_are_compared_through_the_anchor() -> None:
    # the anchor (0) meets 1 in even cells and 2 in odd ones; every cell has a speed of its own
    truth, speed_C = np.array([0.0, 0.5, -0.2]), RNG.normal(size=60)
    rows = [(who, cell) for cell in range(60) for who in (0, 1 + cell % 2)]
    who, cell = (np.array(column) for column in zip(*rows, strict=True))
    levels = levels_of(Visits(who, cell // 20, cell, truth[who] + speed_C[cell]))
    assert ratio(levels[1], levels[2]).estimate == pytest.approx(math.exp(0.7), rel=1e-4)


def test_one_wild_visit_changes_no_ratio() -> None:
    calm_RV = np.log([1.0, 1.1, 1.3]) + RNG.normal(0, 1e-3, size=(40, 1)) + RNG.normal(0, 1e-4, size=(40, 3))
    wild_RV = calm_RV.copy()
    wild_RV[7, 1] += 5.0
    calm, wild = (levels_of(visits(rows)) for rows in (calm_RV, wild_RV))
    assert ratio(wild[1], wild[0]).estimate == pytest.approx(ratio(calm[1], calm[0]).estimate, rel=1e-5)


def test_a_centre_is_the_biweight_worked_out_by_hand() -> None:
    # median 0, deviations 0 1 1 2 50: their median 1, so the reach is 2.5 / 0.6745; 50 weighs nothing
    values = np.array([-1.0, 0.0, 1.0, 2.0, 50.0])
    centre_now, reach = 1.0, 2.5 * 1.0 / 0.6745
    for _ in range(200):
        weight = np.clip(1 - ((values - centre_now) / reach) ** 2, 0, None) ** 2
        centre_now = float((weight * values).sum() / weight.sum())
    assert centre(values) == pytest.approx(centre_now, abs=1e-3)
    assert centre(np.full(5, 3.25)) == 3.25


def test_an_interval_is_students_t_over_resampled_super_rounds() -> None:
    # four super-rounds of equal values within: the deviation over resampled super-rounds is that of their
    # mean-like centre, and t has three degrees of freedom
    shifts_S = np.array([0.0, 0.01, 0.02, 0.03])
    noise = RNG.normal(0, 1e-6, size=(40, 2))
    log_RV = np.stack([np.zeros(40), np.repeat(shifts_S, 10)], axis=1) + noise
    base, other = (Level(log_RV[:, column], np.repeat(np.arange(4), 10)) for column in (0, 1))
    narrow, wide = (ratio(other, base, confidence) for confidence in (0.5, 0.95))
    factor = students_t.ppf(0.975, 3) / students_t.ppf(0.75, 3)
    assert wide.half_width / narrow.half_width == pytest.approx(factor)
    assert wide.low < math.exp(0.015) < wide.high
    # 40 independent visits of that spread would claim a quarter of this
    assert wide.half_width > 2 * 1.96 * log_RV[:, 1].std() / math.sqrt(40)


def test_visits_that_resemble_their_neighbours_are_not_taken_for_independent_ones() -> None:
    # A/A with a mood of its own for each contender and super-round: resampling single visits would see none
    # of it, and tell nine of ten pairs apart
    told_apart = 0
    for seed in range(40):
        source = np.random.default_rng(seed)
        mood_SV = source.normal(0, 0.02, size=(16, 2))
        log_RV = np.repeat(mood_SV, 10, axis=0) + source.normal(0, 0.002, size=(160, 2))
        levels = levels_of(visits(log_RV))
        told_apart += ratio(levels[1], levels[0]).excludes_one
    assert told_apart <= 6  # binomial: more than 6 of 40 at 5 % comes in 1 of 300 cases


def test_one_super_round_gives_no_interval() -> None:
    alone = levels_of(visits(np.zeros((10, 2))))
    found = ratio(alone[1], alone[0])
    assert found.estimate == 1.0
    assert math.isnan(found.low)
    assert found.half_width == math.inf
    assert not found.excludes_one
    assert rank_intervals(alone) == [(1, 2), (1, 2)]


def test_who_stopped_early_is_compared_over_what_both_took_part_in() -> None:
    long = Level(np.repeat([0.0, 0.0, 5.0, 5.0], 10), np.repeat(np.arange(4), 10))
    short = Level(np.repeat([0.1, 0.1], 10), np.repeat(np.arange(2), 10))
    assert ratio(short, long).estimate == pytest.approx(math.exp(0.1))


def test_ranks_are_told_as_far_as_they_are_known() -> None:
    apart = visits(np.array([0.0, 0.5, 0.51, 1.0]) + RNG.normal(0, 0.05, size=(80, 4)))
    first, second, third, last = rank_intervals(levels_of(apart))
    assert (first, last) == ((1, 1), (4, 4))
    assert second == third == (2, 3)


@pytest.mark.parametrize("size", [5, 12])
def test_tau_is_kendalls(size: int) -> None:
    first, second = RNG.normal(size=(2, size))
    assert kendall_tau(first, second) == pytest.approx(kendalltau(first, second).statistic)
    assert kendall_tau(first, -first) == -1.0


def test_halves_that_agree_rank_alike_and_noise_does_not() -> None:
    truth = np.arange(8) * 0.1
    assert split_half_tau(levels_of(visits(truth + RNG.normal(0, 0.01, size=(80, 8))))) == 1.0
    taus = [split_half_tau(levels_of(visits(RNG.normal(size=(80, 8))))) for _ in range(20)]
    assert abs(np.mean(taus)) < 0.25
    assert math.isnan(split_half_tau(levels_of(visits(RNG.normal(size=(10, 3))))))


def test_drift_is_the_range_of_the_super_rounds() -> None:
    seconds = np.array([1.0, 1.0, 9.0, 1.1, 1.1, 1.1, 1.2, 1.2, 1.2])
    assert drift(seconds, np.repeat([0, 1, 2], 3)) == pytest.approx(0.2 / 1.1)


@pytest.mark.parametrize(("wanted", "needed"), [(50, 8), (90, 46), (10, 46), (95, 93), (99, 473)])
def test_a_percentile_needs_as_many_samples_as_mlperf_asks_for(wanted: float, needed: int) -> None:
    assert samples_needed(wanted) == needed
    tail = min(wanted, 100 - wanted) / 100
    assert binom.cdf(1, needed, tail) <= 0.05 < binom.cdf(1, needed - 1, tail)
    assert percentile(np.arange(needed - 1.0), wanted) is None
    assert percentile(np.arange(float(needed)), wanted) == pytest.approx((needed - 1) * wanted / 100)


def test_no_percentile_is_told_without_its_samples() -> None:
    for n in range(1, 60):
        told = [wanted for wanted in (10, 50, 90, 99) if percentile(RNG.normal(size=n), wanted) is not None]
        assert told == [wanted for wanted in (10, 50, 90, 99) if n >= samples_needed(wanted)]

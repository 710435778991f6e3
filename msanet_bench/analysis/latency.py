"""What timed visits say: latencies without the speed of the moment, their ratios with intervals, their ranks.

A visit is one timed call of one contender. Visits of one cell (a super-round, block and round) were made
within moments of each other, so what slows the machine down then slows all of them and can be taken out.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from msanet_bench.streams import derive_seed

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

# Tukey's biweight with this many deviations: on two recorded traces of a contended machine, 12 networks 1 %
# apart, 176 visits each, the mean tau to the truth was 0.91 and 0.86; with the median 0.87 and 0.85, with
# the conventional 4.685 deviations 0.86 and 0.78.
_DEVIATIONS = 2.5
_NORMAL_MAD = 0.6745
# log seconds: a thousandth of what any clock here resolves
_CLOSEST = 1e-12
_STEPS = 12
# log seconds: a millionth of a latency
_SETTLED = 1e-6
_MOST_SWEEPS = 50
_DRAWS = 400


class Visits(NamedTuple):
    """The measured visits of one session in long form, one entry a visit.

    Attributes:
        contender: Whom, from 0.
        super_round: When, coarsely, from 0: the unit that intervals resample.
        cell: When, finely: equal for visits of one super-round, block and round.
        log_seconds: Logarithm of how long.
    """

    contender: Ints
    super_round: Ints
    cell: Ints
    log_seconds: Floats


class Level(NamedTuple):
    """The adjusted log seconds of one contender, and the super-round of each."""

    log_seconds: Floats
    super_round: Ints

    @property
    def super_rounds(self) -> int:
        """How many super-rounds the contender took part in; it was in all before it stopped."""
        return int(self.super_round.max()) + 1

    def before(self, super_round: int) -> "Level":
        """The first super-rounds alone."""
        kept = self.super_round < super_round
        return Level(self.log_seconds[kept], self.super_round[kept])


class Ratio(NamedTuple):
    """A ratio of latencies with its interval, NaN where one super-round alone gives none."""

    estimate: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the interval as a share of the estimate; infinite without an interval."""
        width = math.log(self.high / self.low) / 2
        return math.inf if math.isnan(width) else width

    @property
    def excludes_one(self) -> bool:
        return self.low > 1 or self.high < 1


def levels_of(visits: Visits) -> list[Level]:
    """Each contender's log seconds without the speed of their moment."""
    adjusted = visits.log_seconds - moments(visits)
    members = _groups(visits.contender)
    return [Level(adjusted[member], visits.super_round[member]) for member in members]


def moments(visits: Visits) -> Floats:
    """The speed of each visit's cell, as a log factor, by median polish (Tukey 1977, chapter 11).

    Only cells and contenders that met are compared, so a contender need not be in every block.
    """
    cells, contenders = _groups(visits.cell), _groups(visits.contender)
    residual = visits.log_seconds.copy()
    moment = np.zeros_like(residual)
    for _ in range(_MOST_SWEEPS):
        for cell in cells:
            shift = np.median(residual[cell])
            residual[cell] -= shift
            moment[cell] += shift
        shifts = [np.median(residual[contender]) for contender in contenders]
        for contender, shift in zip(contenders, shifts, strict=True):
            residual[contender] -= shift
        if max(map(abs, shifts)) < _SETTLED:
            break
    # a session's level belongs to its contenders, not to its moments
    return moment - np.median(moment)


def centre(log_seconds: Floats) -> float:
    """Where the values lie, by Tukey's biweight: far values weigh nothing, however far."""
    return float(_centres(log_seconds, np.ones((1, len(log_seconds))))[0])


def ratio(of: Level, to: Level, confidence: float = 0.95) -> Ratio:
    """How many times as long one contender takes as another, over the super-rounds that both took part in.

    The interval is Student's t with the deviation over resampled super-rounds. A super-round is resampled as
    a whole: visits that follow one another resemble one another, and resampling those of one contender gives
    intervals that hold the truth in a third of the cases. The resampled deviation of G clusters is too small
    by the root of (G - 1) / G (Hesterberg 2015, arXiv:1411.5279, section 4.3).
    """
    shared = min(of.super_rounds, to.super_rounds)
    of, to = of.before(shared), to.before(shared)
    estimate = centre(of.log_seconds) - centre(to.log_seconds)
    if shared == 1:
        return Ratio(math.exp(estimate), math.nan, math.nan)
    spread_B = _drawn(of) - _drawn(to)
    reach = float(stdtrit(shared - 1, (1 + confidence) / 2) * spread_B.std() * _stretch(shared))
    return Ratio(math.exp(estimate), math.exp(estimate - reach), math.exp(estimate + reach))


def rank_intervals(levels: Sequence[Level], confidence: float = 0.95) -> list[tuple[int, int]]:
    """Between which ranks each contender may lie, 1 the fastest, from resampled super-rounds."""
    centres_V = np.array([centre(level.log_seconds) for level in levels])
    tails = 50 * (1 - confidence)
    if not levels or any(level.super_rounds == 1 for level in levels):
        return [(1, len(levels))] * len(levels)
    drawn_BV = np.stack([_drawn(level) for level in levels], axis=1)
    stretch_V = np.array([_rank_stretch(level.super_rounds, confidence) for level in levels])
    wider_BV = centres_V + (drawn_BV - drawn_BV.mean(axis=0)) * stretch_V
    ranks_BV = wider_BV.argsort(axis=1).argsort(axis=1) + 1
    low_V, high_V = np.percentile(ranks_BV, [tails, 100 - tails], axis=0, method="closest_observation")
    return [(int(low), int(high)) for low, high in zip(low_V, high_V, strict=True)]


def split_half_tau(levels: Sequence[Level]) -> float:
    """Kendall's tau between the rankings of the odd and of the even super-rounds; NaN where there is none."""
    halves = [[_half(level, parity) for level in levels] for parity in (0, 1)]
    if len(levels) < 2 or any(len(half) == 0 for side in halves for half in side):  # noqa: PLR2004
        return math.nan
    even_V, odd_V = (np.array([centre(half) for half in side]) for side in halves)
    return kendall_tau(even_V, odd_V)


def kendall_tau(first_V: Floats, second_V: Floats) -> float:
    """The share of pairs that two rankings order alike, minus the share that they order differently."""
    one, other = np.triu_indices(len(first_V), k=1)
    agreement = np.sign(first_V[one] - first_V[other]) * np.sign(second_V[one] - second_V[other])
    return float(agreement.mean())


def drift(seconds: Floats, super_round: Ints) -> float:
    """Range of the medians of the super-rounds, as a share of their median: how much a machine changed."""
    medians = np.array([np.median(seconds[member]) for member in _groups(super_round)])
    return float(np.ptp(medians) / np.median(medians))


def samples_needed(percentile: float, confidence: float = 0.95) -> int:
    """The smallest n of which a percentile can be told, with one sample to spare beyond it.

    At most one of n lies beyond it with a chance below 1 - confidence: the rule of MLPerf's early stopping.
    """
    tail = min(percentile, 100 - percentile) / 100
    n = 1
    while (1 - tail) ** n + n * tail * (1 - tail) ** (n - 1) > 1 - confidence:
        n += 1
    return n


def percentile(seconds: Floats, wanted: float) -> float | None:
    """A percentile, or None where there are too few samples for it."""
    return float(np.percentile(seconds, wanted)) if len(seconds) >= samples_needed(wanted) else None


def _groups(keys: Ints) -> list[Ints]:
    """The places of equal keys, in the order of the keys."""
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _half(level: Level, parity: int) -> Floats:
    half: Floats = level.log_seconds[level.super_round % 2 == parity]
    return half


def _stretch(super_rounds: int) -> float:
    return math.sqrt(super_rounds / (super_rounds - 1))


def _rank_stretch(super_rounds: int, confidence: float) -> float:
    """The same, times how much wider Student's t is than the normal distribution of percentiles."""
    tail = (1 + confidence) / 2
    return _stretch(super_rounds) * float(stdtrit(super_rounds - 1, tail) / ndtri(tail))


def _drawn(level: Level) -> Floats:
    """The centres of resampled super-rounds, the same draws for every contender of as many super-rounds."""
    count = level.super_rounds
    source = np.random.default_rng(derive_seed("latency bootstrap", count))
    times_BS = source.multinomial(count, np.full(count, 1 / count), size=_DRAWS)
    return _centres(level.log_seconds, times_BS[:, level.super_round].astype(np.float64))


def _centres(values_N: Floats, weights_BN: Floats) -> Floats:
    """The biweight of the values for each row of weights, from the median on."""
    order = np.argsort(values_N, kind="stable")
    values_N, weights_BN = values_N[order], weights_BN[:, order]
    centre_B1 = _sorted_medians(np.broadcast_to(values_N, weights_BN.shape), weights_BN)
    distance_BN = np.abs(values_N - centre_B1)
    nearest_BN = np.argsort(distance_BN, axis=1, kind="stable")
    deviation_B1 = _sorted_medians(
        np.take_along_axis(distance_BN, nearest_BN, 1), np.take_along_axis(weights_BN, nearest_BN, 1)
    )
    reach_B1 = np.maximum(_DEVIATIONS * deviation_B1 / _NORMAL_MAD, _CLOSEST)
    for _ in range(_STEPS):
        closeness_BN = np.clip(1 - ((values_N - centre_B1) / reach_B1) ** 2, 0, None) ** 2 * weights_BN
        centre_B1 = (closeness_BN * values_N).sum(axis=1, keepdims=True) / closeness_BN.sum(
            axis=1, keepdims=True
        )
    return centre_B1[:, 0]


def _sorted_medians(values_BN: Floats, weights_BN: Floats) -> Floats:
    """The weighted median of each row of sorted values; the mean of two where it falls between them."""
    reached_BN = np.cumsum(weights_BN, axis=1)
    half_B1 = reached_BN[:, -1:] / 2
    below_B1 = (reached_BN < half_B1).sum(axis=1, keepdims=True)
    above_B1 = (reached_BN <= half_B1).sum(axis=1, keepdims=True)
    return (np.take_along_axis(values_BN, below_B1, 1) + np.take_along_axis(values_BN, above_B1, 1)) / 2

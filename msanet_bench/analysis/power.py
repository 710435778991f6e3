"""What a design could have seen: power, the smallest detectable effect, and the seeds that are missing."""

import math
from bisect import bisect_left
from functools import lru_cache
from typing import NamedTuple

from scipy.special import chdtri, nctdtr, stdtrit

# Deviations of fewer degrees of freedom are planned with at their upper 80 % limit: small pilots flatter.
_FEW = 20
_POWER = 0.8
MOST_SEEDS = 1000


class Design(NamedTuple):
    """How the precision of a contrast grows with seeds.

    Attributes:
        se: Its standard error now, of the seeds alone.
        df: The degrees of freedom now.
        seeds: How many seeds there are now.
        df_per_seed: How many degrees of freedom a further seed adds.
        fixed_se: A part of the standard error that no seed lowers: of the test images.
    """

    se: float
    df: float
    seeds: int
    df_per_seed: int
    fixed_se: float = 0.0


def t_power(effect: float, se: float, df: float, *, alpha: float = 0.05) -> float:
    """The chance that a two-sided t test finds a true effect of this size."""
    if df <= 0 or math.isnan(se):
        return math.nan
    if se == 0:
        return 1.0
    # 1 - alpha / 2 would round to 1 where alpha is tiny
    critical, shift = -float(stdtrit(df, alpha / 2)), abs(effect) / se
    return 1 - _below(df, shift, critical) + _below(df, shift, -critical)


def equivalence_power(se: float, df: float, delta: float, *, alpha: float = 0.05) -> float:
    """About the chance that two one-sided tests show an effect that is none to be within delta."""
    if df <= 0 or math.isnan(se):
        return math.nan
    if se == 0:
        return 1.0
    critical = -float(stdtrit(df, alpha))
    return max(0.0, 1 - 2 * _below(df, delta / se, critical))


def smallest_detectable(se: float, df: float, *, alpha: float = 0.05, power: float = _POWER) -> float:
    """The effect that a two-sided t test finds with this power; NaN without degrees of freedom."""
    return se * _detectable(df, alpha, power) if df > 0 else math.nan


@lru_cache
def _detectable(df: float, alpha: float, power: float) -> float:
    """The same in standard errors."""
    low, high = 0.0, 1.0
    while t_power(high, 1.0, df, alpha=alpha) < power:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if t_power(middle, 1.0, df, alpha=alpha) >= power else (middle, high)
    return high


def seeds_needed(design: Design, delta: float, *, alpha: float = 0.05) -> int | None:
    """How many further seeds would resolve an effect that is none, and one of delta, four times in five.

    None where a thousand would not: the test images are too few, or there is no deviation to plan with.
    """
    if design.df <= 0 or math.isnan(design.se):
        return None
    candidates = range(design.seeds + 1, MOST_SEEDS + 1)
    place = bisect_left(candidates, 1, key=lambda seeds: int(_resolves(design, seeds, delta, alpha)))
    return candidates[place] - design.seeds if place < len(candidates) else None


def _resolves(design: Design, seeds: int, delta: float, alpha: float) -> bool:
    deviation = design.se * math.sqrt(design.seeds) * _caution(design.df)
    se = math.hypot(deviation / math.sqrt(seeds), design.fixed_se)
    df = design.df + design.df_per_seed * (seeds - design.seeds)
    finds = t_power(delta, se, df, alpha=alpha) >= _POWER
    return finds and equivalence_power(se, df, delta, alpha=alpha) >= _POWER


def _below(df: float, shift: float, t: float) -> float:
    """The chance that a noncentral t is at most t; far in the tail, below 1e-15, scipy gives NaN."""
    chance = float(nctdtr(df, shift, t))
    return 0.0 if math.isnan(chance) else chance


def _caution(df: float) -> float:
    return math.sqrt(df / float(chdtri(df, 0.8))) if df < _FEW else 1.0

"""How well the level of a latency session is known: from how far its super-rounds lie apart."""

import math
from functools import cache

import numpy as np
from scipy.special import ndtr

from msanet_bench.analysis.contrasts import t_quantile

# standard deviations, far beyond the largest of any number of super-rounds
_FAR = 9.0
_POINTS = 4001


def level_reach(drift: float, super_rounds: int, used: float) -> float:
    """Half the 95 % interval of a session's level, as a share of it; NaN of one super-round.

    A range stands for the deviation. With the quantiles of Student's t this is 4 % wider than what Lord
    (1947) gives for six super-rounds, and within 1 % of it from ten to twenty.

    Args:
        drift: Range of the medians of the super-rounds, as a share of their median.
        super_rounds: How many there were.
        used: In how many of them the contender was timed.
    """
    if super_rounds < 2:  # noqa: PLR2004 - one value has no range
        return math.nan
    deviation = drift / expected_range(super_rounds)
    return t_quantile(super_rounds - 1, 0.95) * deviation / math.sqrt(used)


@cache
def expected_range(n: int) -> float:
    """Of n normal values, in standard deviations (Tippett 1925): 1.128 of two, 3.078 of ten."""
    below = ndtr(np.linspace(-_FAR, _FAR, _POINTS))
    return float(np.trapezoid(1 - below**n - (1 - below) ** n, dx=2 * _FAR / (_POINTS - 1)))

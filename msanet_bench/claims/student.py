"""Student's t by its finite sums, and the plain interval of a mean."""

import math
from collections.abc import Sequence
from typing import NamedTuple

_HALVINGS = 60
# Accuracies are shares of images, so deviations below this are rounding.
_ROUNDING = 1e-9


class Interval(NamedTuple):
    """Where a true value lies; without ends where nothing can be said."""

    low: float
    high: float


NOWHERE_KNOWN = Interval(-math.inf, math.inf)


def mean_interval(values: Sequence[float], confidence: float) -> Interval:
    """The two-sided t interval of the mean of independent values.

    Fewer than two values, or values without any spread, say nothing of their error: no ends.
    """
    if len(values) < 2 or max(values) - min(values) <= _ROUNDING:  # noqa: PLR2004 (a spread needs two)
        return NOWHERE_KNOWN
    mean = math.fsum(values) / len(values)
    degrees = len(values) - 1
    variance = math.fsum((value - mean) ** 2 for value in values) / degrees
    half = t_quantile(confidence, degrees) * math.sqrt(variance / len(values))
    return Interval(mean - half, mean + half)


def t_quantile(confidence: float, degrees: int) -> float:
    """The t of which P(|T| < t) is the confidence, for 0 < confidence < 1."""
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def _within(angle: float, degrees: int) -> float:
    """P(|T| < sqrt(degrees) * tan(angle)): Abramowitz and Stegun 1964, 26.7.3 and 26.7.4."""
    is_odd = degrees % 2 == 1
    cosine = math.cos(angle)
    term, total = (cosine, 0.0) if is_odd else (1.0, 0.0)
    for step in range(2 + is_odd, degrees + 1, 2):
        total += term
        term *= cosine**2 * (step - 1) / step
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if is_odd else total

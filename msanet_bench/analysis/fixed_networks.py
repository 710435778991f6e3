"""Two trained networks on the same images: is one right more often, as they are.

Nothing here knows of training: another seed of either network may come out the other way.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, chdtrc


class Discordant(NamedTuple):
    """How many images only the first and only the second network has right."""

    only_first: int
    only_second: int

    @property
    def total(self) -> int:
        return self.only_first + self.only_second


class McNemar(NamedTuple):
    """The test with a continuity correction: chi-square with one degree of freedom."""

    chi_square: float
    p: float


def discordant(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Discordant:
    """Counted over the same images in the same order, each (images,)."""
    return Discordant(int((first & ~second).sum()), int((second & ~first).sum()))


def mcnemar(counts: Discordant) -> McNemar:
    """McNemar's test (1947) with Edwards' correction (1948), as R's `mcnemar.test` does it."""
    if counts.total == 0:
        return McNemar(0.0, 1.0)
    excess = max(0, abs(counts.only_first - counts.only_second) - 1)
    chi_square = excess**2 / counts.total
    return McNemar(chi_square, float(chdtrc(1, chi_square)))


def mcnemar_exact(counts: Discordant) -> float:
    """The two-sided p of the binomial test that either network is as often the one that is right."""
    if counts.total == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(counts), counts.total, 0.5)))

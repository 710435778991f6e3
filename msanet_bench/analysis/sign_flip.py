"""The exact p of paired differences: if neither side is better, each may as well have the other sign."""

from collections.abc import Sequence

import numpy as np

# 2^20 signs are a million sums.
MOST_PAIRS = 20


def sign_flip_p(differences: Sequence[float]) -> float:
    """The share of all assignments of signs whose sum is at least as far from 0 (Fisher 1935, section 21).

    Raises:
        ValueError: there is no difference, or there are more than twenty.
    """
    if not 0 < len(differences) <= MOST_PAIRS:
        raise ValueError(f"1 to {MOST_PAIRS} differences can be flipped, but got {len(differences)}.")
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums + difference, sums - difference])
    # sums that are equal but for rounding count as equal
    limit = abs(sum(differences)) - 1e-9 * sum(map(abs, differences))
    return float(np.mean(np.abs(sums) >= limit))

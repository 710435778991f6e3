"""How much of a difference is chance: seeds, what pairing removes, and the size of the test set."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from msanet_bench.analysis.contrasts import BlockFit


def seed_variance(values: Mapping[str, Sequence[float]]) -> float:
    """The variance within variants, pooled over those with at least two values; NaN when there are none."""
    several = [np.asarray(row) for row in values.values() if len(row) > 1]
    df = sum(len(row) - 1 for row in several)
    return sum(float(((row - row.mean()) ** 2).sum()) for row in several) / df if df else math.nan


def pairing_gain(values: Mapping[str, Sequence[float]], fit: BlockFit) -> float:
    """How many times as many unpaired seeds would be needed; at most 1 means that pairing bought nothing."""
    return seed_variance(values) / fit.mean_square if fit.mean_square > 0 else math.nan


def sampling_error(accuracy: float, images: int) -> float:
    """Standard error of an accuracy because the test set is a sample: no number of seeds lowers it."""
    return math.sqrt(accuracy * (1 - accuracy) / images)

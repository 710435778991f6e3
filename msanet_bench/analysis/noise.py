"""How much of a difference is chance: seeds, what pairing removes, and the size of the test set."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

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


def rounding_variance(images: int) -> float:
    """The least variance of one accuracy: it is known to half an image to either side; 0 without images.

    Seeds that all differ by the same number of images would otherwise claim a deviation of 0, and with few
    images and two seeds this is no rare chance. A uniform error of width 1/N has the variance 1 / (12 N^2).
    """
    return 1 / (12 * images**2) if images else 0.0


def unequal_spread_p(variant: Sequence[str], residuals: Sequence[float]) -> float:
    """Brown and Forsythe's p (1974) that all variants deviate alike around the block model.

    An analysis of variance of how far each residual lies from its variant's median, over variants of three
    values or more: two lie equally far from their median. NaN where such variants are fewer than two.
    """
    groups: dict[str, list[float]] = defaultdict(list)
    for name, residual in zip(variant, residuals, strict=True):
        groups[name].append(residual)
    several = [np.asarray(group) for group in groups.values() if len(group) > 2]  # noqa: PLR2004 - see above
    distances = [np.abs(group - np.median(group)) for group in several]
    df = len(distances) - 1, sum(map(len, distances)) - len(distances)
    if df[0] < 1:
        return math.nan
    centre = np.concatenate(distances).mean()
    between = sum(len(group) * float((group.mean() - centre) ** 2) for group in distances) / df[0]
    within = sum(float(np.square(group - group.mean()).sum()) for group in distances) / df[1]
    return float(fdtrc(*df, between / within)) if within > 0 else math.nan


def churn_between_seeds(correct: NDArray[np.bool_]) -> float:
    """The share of images whose correctness differs between two seeds of a variant, shape (seeds, images)."""
    seeds = len(correct)
    right = correct.sum(axis=0, dtype=np.int64)
    return float((right * (seeds - right)).mean()) / math.comb(seeds, 2) if seeds > 1 else math.nan


def churn_between(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """The share of images whose correctness differs between two variants, each (seeds, images)."""
    return float(np.mean(first != second))

"""How right a classifier is, class by class, and how far its confidence can be believed."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# of Guo et al. 2017, section 5
BINS = 15


def confusion_matrix(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], num_classes: int
) -> NDArray[np.int64]:
    """How many images of each class (row) were taken for each class (column)."""
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


class ClassScore(NamedTuple):
    """One class; what has no images, or was never predicted, has no share (NaN).

    Attributes:
        precision: Of the images taken for this class, the share that are of it.
        recall: Of its images, the share that were found.
    """

    precision: float
    recall: float
    images: int
    predicted: int


def class_scores(confusion: NDArray[np.int64]) -> list[ClassScore]:
    """The score of each class, in their order."""
    found, images, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return [
        ClassScore(_share(hits, taken), _share(hits, there), int(there), int(taken))
        for hits, there, taken in zip(found, images, predicted, strict=True)
    ]


class Bin(NamedTuple):
    """The images whose confidence is above `low` and at most `high`; means are NaN where there are none."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


def reliability(
    confidences: NDArray[np.float64], correct: NDArray[np.bool_], num_bins: int = BINS
) -> list[Bin]:
    """Mean confidence and accuracy in bins of one width (Guo et al. 2017, arXiv:1706.04599, eq. 1 and 2)."""
    edges = np.arange(num_bins + 1) / num_bins
    places = _places(confidences, edges)
    return [
        _bin(edges[number], edges[number + 1], confidences[places == number], correct[places == number])
        for number in range(num_bins)
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error (ECE): the gap between confidence and accuracy, a mean over the images.

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3. It is at least 0, so chance alone makes it positive.
    """
    total = sum(each.images for each in bins)
    gaps = (each.images * abs(each.accuracy - each.confidence) for each in bins if each.images)
    return math.fsum(gaps) / total


def calibration_error_by_chance(confidences: NDArray[np.float64], num_bins: int = BINS) -> float:
    """About the ECE that a network of these confidences has on average although it is perfectly calibrated.

    The hits of a bin are then a sum of independent draws with the variance sum of p (1 - p). Taken as normal,
    their mean distance from what is expected is the root of 2 / pi times that variance.
    """
    places = _places(confidences, np.arange(num_bins + 1) / num_bins)
    variances = np.bincount(places, confidences * (1 - confidences), num_bins)
    return float(np.sqrt(2 / math.pi * variances).sum() / len(confidences))


def wilson_interval(hits: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22, p. 209)."""
    share, shrink = hits / total, z * z / total
    middle = (share + shrink / 2) / (1 + shrink)
    half = z / (1 + shrink) * math.sqrt(share * (1 - share) / total + shrink / (4 * total))
    return middle - half, middle + half


def _places(confidences: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """The number of each confidence's bin; one of exactly 0 belongs to the first."""
    return np.maximum(np.searchsorted(edges, confidences, side="left") - 1, 0)


def _bin(low: float, high: float, confidences: NDArray[np.float64], correct: NDArray[np.bool_]) -> Bin:
    if not len(confidences):
        return Bin(float(low), float(high), 0, math.nan, math.nan)
    return Bin(float(low), float(high), len(confidences), float(confidences.mean()), float(correct.mean()))


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else math.nan

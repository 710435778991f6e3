"""Scores of classes and calibration, against hand calculation, scikit-learn, statsmodels and simulation."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix as their_confusion_matrix
from sklearn.metrics import precision_recall_fscore_support
from statsmodels.stats.proportion import proportion_confint

from msanet_bench.analysis.classification import (
    Bin,
    calibration_error,
    calibration_error_by_chance,
    class_scores,
    confusion_matrix,
    reliability,
    wilson_interval,
)

LABELS = np.array([0, 0, 0, 1, 1, 3])
PREDICTED = np.array([0, 1, 0, 1, 1, 0])


def test_the_confusion_matrix_counts_each_class_a_row() -> None:
    counts = confusion_matrix(LABELS, PREDICTED, 4)
    assert counts.tolist() == [[2, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_a_class_that_is_absent_or_never_named_has_no_share() -> None:
    first, second, third, fourth = class_scores(confusion_matrix(LABELS, PREDICTED, 4))
    assert first == (2 / 3, 2 / 3, 3, 3)
    assert second == (2 / 3, 1.0, 2, 3)
    assert [math.isnan(share) for share in (*third[:2], *fourth[:2])] == [True, True, True, False]
    assert fourth[1:] == (0.0, 1, 0)


def test_scores_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels, predicted = random.integers(0, 5, (2, 400))
    counts = confusion_matrix(labels, predicted, 5)
    assert counts.tolist() == their_confusion_matrix(labels, predicted).tolist()
    precision, recall, _, support = precision_recall_fscore_support(labels, predicted)
    for number, score in enumerate(class_scores(counts)):
        assert score[:3] == pytest.approx((precision[number], recall[number], support[number]))


def test_the_calibration_error_is_that_worked_out_by_hand() -> None:
    confidences = np.array([0.3, 0.5, 0.6, 0.9, 1.0])
    correct = np.array([True, False, True, True, True])
    bins = reliability(confidences, correct, num_bins=2)
    # (0, 0.5]: confidence 0.4, accuracy 0.5; (0.5, 1]: confidence 2.5 / 3, accuracy 1
    assert bins[0] == pytest.approx(Bin(0.0, 0.5, 2, 0.4, 0.5))
    assert bins[1] == pytest.approx(Bin(0.5, 1.0, 3, 2.5 / 3, 1.0))
    assert calibration_error(bins) == pytest.approx(2 / 5 * 0.1 + 3 / 5 * (1 - 2.5 / 3))


def test_an_edge_belongs_to_the_bin_below_it_as_in_the_source() -> None:
    edges = np.arange(16) / 15
    bins = reliability(edges, np.ones(16, dtype=bool))
    assert [each.images for each in bins] == [2, *[1] * 14]  # 0 joins the first


def test_an_empty_bin_says_nothing() -> None:
    empty, full = reliability(np.array([0.7]), np.array([False]), num_bins=2)
    assert empty.images == 0
    assert math.isnan(empty.accuracy)
    assert calibration_error([empty, full]) == pytest.approx(0.7)


def _confidences() -> NDArray[np.float64]:
    return np.random.default_rng(1).uniform(0.3, 1, 500)


def _mean_error(confidences: NDArray[np.float64], hit_rates: NDArray[np.float64]) -> float:
    """Of many simulated networks that are right with these probabilities."""
    random = np.random.default_rng(2)
    errors = [
        calibration_error(reliability(confidences, random.random(len(confidences)) < hit_rates))
        for _ in range(400)
    ]
    return float(np.mean(errors))


def test_a_calibrated_network_shows_the_error_that_chance_alone_makes() -> None:
    confidences = _confidences()
    expected = calibration_error_by_chance(confidences)
    assert _mean_error(confidences, confidences) == pytest.approx(expected, rel=0.05)


def test_a_network_that_is_too_sure_shows_more() -> None:
    confidences = _confidences()
    found = _mean_error(confidences, confidences - 0.2)
    assert found == pytest.approx(0.2, abs=0.02)
    assert found > 2 * calibration_error_by_chance(confidences)


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (351, 360), (5, 5), (500, 1000)])
def test_the_interval_is_wilsons(hits: int, total: int) -> None:
    theirs = proportion_confint(hits, total, method="wilson")
    assert wilson_interval(hits, total) == pytest.approx(theirs, abs=1e-7)

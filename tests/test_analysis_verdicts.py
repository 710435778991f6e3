"""Words, and the p-values behind them, against published and hand-made numbers and statsmodels."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.tests.test_tost import clinic
from statsmodels.stats.weightstats import ttost_paired

from golden_cases import HEART_P
from msanet_bench.analysis.contrasts import Contrast, contrast, fit_blocks, t_interval
from msanet_bench.analysis.verdicts import (
    benjamini_hochberg,
    equivalence_p,
    holm,
    judge,
    p_value,
)
from msanet_bench.analysis.weights import weights_difference

UNKNOWN = Contrast(1.0, math.nan, 0, math.nan, math.nan)


def paired(first: np.ndarray, second: np.ndarray, *, confidence: float = 0.95) -> Contrast:
    n = len(first)
    fit = fit_blocks(["a"] * n + ["b"] * n, [*range(n), *range(n)], [*first, *second])
    return contrast(fit, weights_difference("a", "b"), confidence=confidence)


def test_equivalence_of_the_clinics_first_variable_is_the_one_that_r_prints() -> None:
    found = paired(clinic[:15, 2], clinic[15:, 2], confidence=0.90)
    assert found.estimate == pytest.approx(0.1646667, abs=5e-8)
    assert found.se == pytest.approx(0.1357514, abs=5e-8)
    assert (found.low, found.high) == pytest.approx((-0.0744336620516, 0.4037669953850), abs=5e-12)
    assert equivalence_p(found, 0.6) == pytest.approx(0.003166881489265, abs=5e-15)


def test_equivalence_of_the_clinics_second_variable_is_not_shown() -> None:
    found = paired(clinic[:15, 3], clinic[15:, 3])
    assert (found.estimate, found.se) == pytest.approx((0.5626667, 0.2478276), abs=5e-8)
    assert equivalence_p(found, 0.6) == pytest.approx(0.4412034046, abs=5e-10)


def test_equivalence_of_six_pairs_is_what_pingouin_documents() -> None:
    """The example of `pingouin.tost`: unpaired, six replicates of one block, and paired."""
    a, b = np.array([4, 7, 8, 6, 3, 2]), np.array([6, 8, 7, 10, 11, 9])
    replicates = fit_blocks(["a"] * 6 + ["b"] * 6, ["all"] * 12, [*a, *b])
    unpaired = contrast(replicates, weights_difference("a", "b"))
    assert equivalence_p(unpaired, 1) == pytest.approx(0.965097, abs=5e-7)
    assert equivalence_p(paired(a, b), 0.5) == pytest.approx(0.954854, abs=5e-7)


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=12), st.floats(0.01, 3), st.integers(0, 2**32 - 1))
def test_equivalence_is_that_of_statsmodels(first: list[float], delta: float, state: int) -> None:
    a = np.array(first)
    b = a + np.random.default_rng(state).normal(size=len(a))
    oracle, *_ = ttost_paired(a, b, -delta, delta)
    assert equivalence_p(paired(a, b), delta) == pytest.approx(oracle, abs=1e-9)


def test_rejections_of_the_fifteen_heart_attack_p_values_are_the_published_ones() -> None:
    adjusted = holm(HEART_P)
    assert adjusted[:5] == pytest.approx([0.0015, 0.0056, 0.0247, 0.1140, 0.2211], abs=1e-9)
    assert sum(p <= 0.05 for p in adjusted) == 3
    assert sum(p <= 0.05 for p in benjamini_hochberg(HEART_P)) == 4


probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@settings(deadline=None, max_examples=15)  # statsmodels takes a twentieth of a second for each
@given(probabilities)
def test_holm_and_benjamini_hochberg_are_those_of_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-12)


def test_what_is_not_known_counts_for_nothing_in_a_family() -> None:
    for adjust, expected in ((holm, [0.04, 0.04]), (benjamini_hochberg, [0.03, 0.04])):
        low, unknown, high = adjust([0.02 if adjust is holm else 0.015, math.nan, 0.04])
        assert [low, high] == pytest.approx(expected)
        assert math.isnan(unknown)


# With 1e6 degrees of freedom t is normal: two-sided p < .05 beyond 1.96 errors, one-sided beyond 1.645.
@pytest.mark.parametrize(
    ("estimate", "se", "word"),
    [
        (2.0, 0.5, "HELPS"),  # [1.02, 2.98] beyond 1
        (2.0, 0.6, "helps"),  # [0.82, 3.18] not beyond 1
        (-2.0, 0.5, "HURTS"),
        (-2.0, 0.6, "hurts"),
        (0.5, 0.2, "negligible"),  # 2.5 errors from 0, 2.5 from 1
        (-0.5, 0.2, "negligible"),
        (0.1, 0.2, "NO MATERIAL EFFECT"),  # half an error from 0, 4.5 from 1
        (0.0, 0.5, "NO MATERIAL EFFECT"),  # 2 errors from both limits
        (0.0, 0.7, "UNRESOLVED"),  # 1.43 errors from both limits
        (0.9, 0.5, "UNRESOLVED"),
    ],
)
def test_a_word_is_what_interval_and_tests_say(estimate: float, se: float, word: str) -> None:
    (verdict,) = judge([t_interval(estimate, se, 1e6)], 1.0)
    assert verdict.word == word
    assert verdict.is_resolved == (word != "UNRESOLVED")


def test_a_family_asks_more_of_each_of_its_members() -> None:
    just = t_interval(2.1, 1.0, 1e6)  # p = .036
    assert judge([just], 0.5)[0].word == "helps"
    assert [v.word for v in judge([just, t_interval(0.0, 1.0, 1e6)], 0.5)] == ["UNRESOLVED"] * 2


def test_looks_at_growing_data_share_the_error() -> None:
    just = t_interval(2.1, 1.0, 1e6)
    assert judge([just], 0.5, alpha=0.05 / 2)[0].word == "UNRESOLVED"


def test_without_degrees_of_freedom_nothing_is_resolved_and_the_others_are_judged_alone() -> None:
    unknown, known = judge([UNKNOWN, t_interval(2.1, 1.0, 1e6)], 0.5)
    assert math.isnan(unknown.p)
    assert math.isnan(unknown.p_equivalence)
    assert unknown.word == "UNRESOLVED"
    assert known.p == pytest.approx(p_value(t_interval(2.1, 1.0, 1e6)))
    assert judge([], 0.5) == ()


@pytest.mark.parametrize(
    ("estimate", "p", "word"),
    [(0.0, 1.0, "NO MATERIAL EFFECT"), (0.2, 0.0, "negligible"), (2.0, 0.0, "HELPS")],
)
def test_where_repetitions_agree_to_the_last_digit_the_estimate_decides(
    estimate: float, p: float, word: str
) -> None:
    (verdict,) = judge([t_interval(estimate, 0.0, 4)], 1.0)
    assert (verdict.p, verdict.word) == (p, word)


def test_an_exact_difference_of_delta_is_not_shown_to_be_smaller() -> None:
    assert equivalence_p(t_interval(1.0, 0.0, 4), 1.0) == 0.5


@given(st.floats(-3, 3), st.floats(0.01, 3), st.floats(1, 100), st.floats(0.01, 3))
def test_an_effect_and_its_opposite_have_opposite_words(
    estimate: float, se: float, df: float, delta: float
) -> None:
    opposite = {"HELPS": "HURTS", "helps": "hurts"}
    opposite |= {other: word for word, other in opposite.items()}
    (one,), (other,) = (judge([t_interval(sign * estimate, se, df)], delta) for sign in (1, -1))
    assert other.word == opposite.get(one.word, one.word)
    assert (other.p, other.p_equivalence) == pytest.approx((one.p, one.p_equivalence))


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=5), st.floats(0.1, 2))
def test_the_order_within_a_family_changes_no_verdict(estimates: list[float], delta: float) -> None:
    family = [t_interval(estimate, 0.8, 10) for estimate in estimates]
    forward, backward = judge(family, delta), judge(family[::-1], delta)
    assert [v.word for v in forward] == [v.word for v in backward[::-1]]
    for one, other in zip(forward, backward[::-1], strict=True):
        assert one.p == pytest.approx(other.p)


def test_holm_adjusts_never_downwards_and_keeps_the_order_of_the_p_values() -> None:
    for p in itertools.permutations([0.01, 0.011, 0.03, 0.9]):
        adjusted = dict(zip(p, holm(p), strict=True))
        # 4 x .01; then never below it: 3 x .011 = .033; then 2 x .03
        assert adjusted == pytest.approx({0.01: 0.04, 0.011: 0.04, 0.03: 0.06, 0.9: 0.9})

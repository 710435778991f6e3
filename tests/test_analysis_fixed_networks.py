"""Two fixed networks, two groups and two sessions against published numbers and other implementations."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as oracle

from msanet_bench.analysis.fixed_networks import Discordant, discordant, mcnemar, mcnemar_exact
from msanet_bench.analysis.two_sessions import expected_range, level_reach
from msanet_bench.analysis.unpaired import welch

# Agresti 1990, page 350: approval of the President's performance in two surveys; R's ?mcnemar.test has it
APPROVAL = np.array([[794, 86], [150, 570]])


def test_mcnemar_gives_what_r_prints() -> None:
    found = mcnemar(Discordant(int(APPROVAL[0, 1]), int(APPROVAL[1, 0])))
    assert f"{found.chi_square:.3f}" == "16.818"
    assert f"{found.p:.3e}" == "4.115e-05"


@pytest.mark.parametrize("counts", [(86, 150), (3, 4), (0, 7), (12, 12), (1, 0)])
def test_both_tests_are_those_of_statsmodels(counts: tuple[int, int]) -> None:
    table = np.array([[5, counts[0]], [counts[1], 5]])
    if counts[0] != counts[1]:
        assert mcnemar(Discordant(*counts)).p == pytest.approx(
            oracle(table, exact=False, correction=True).pvalue
        )
    assert mcnemar_exact(Discordant(*counts)) == pytest.approx(oracle(table, exact=True).pvalue)


def test_networks_that_are_right_on_the_same_images_cannot_be_told_apart() -> None:
    assert mcnemar(Discordant(0, 0)) == (0, 1)
    assert mcnemar_exact(Discordant(0, 0)) == 1


def test_images_are_counted_where_one_alone_is_right() -> None:
    first, second = np.array([1, 1, 1, 0, 0], dtype=bool), np.array([1, 0, 0, 1, 0], dtype=bool)
    assert discordant(first, second) == (2, 1)


def test_welch_is_that_of_scipy() -> None:
    base, head = [3.0, 4.0, 6.5], [5.0, 5.5, 9.0, 7.0]
    found, expected = welch(base, head), stats.ttest_ind(head, base, equal_var=False)
    assert found.df == pytest.approx(expected.df)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_welch_of_the_shoes_ignores_the_pairs() -> None:
    # Box, Hunter and Hunter 2005, table 3.3: unpaired, the two materials cannot be told apart (p = 0.716)
    a = [13.2, 8.2, 10.9, 14.3, 10.7, 6.6, 9.5, 10.8, 8.8, 13.3]
    b = [14.0, 8.8, 11.2, 14.2, 11.8, 6.4, 9.8, 11.3, 9.3, 13.6]
    found = welch(a, b)
    p = 2 * stats.t.sf(found.estimate / found.se, found.df)
    # R's t.test: t = -0.3689, df = 17.987, p-value = 0.7165
    assert f"{found.estimate / found.se:.4f} {found.df:.3f} {p:.4f}" == "0.3689 17.987 0.7165"


def test_one_value_of_a_side_gives_no_interval() -> None:
    found = welch([1.0], [2.0, 3.0])
    assert (found.estimate, found.has_interval) == (1.5, False)


@pytest.mark.parametrize(("n", "published"), [(2, 1.128), (3, 1.693), (5, 2.326), (10, 3.078), (25, 3.931)])
def test_expected_ranges_are_the_published_ones(n: int, published: float) -> None:
    # d2 of control charts, ASTM manual
    assert expected_range(n) == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("super_rounds", [3, 6, 12, 16])
def test_the_level_of_a_session_lies_where_it_is_said_to(super_rounds: int) -> None:
    source = np.random.default_rng(5)
    medians = source.normal(1.0, 0.03, size=(4000, super_rounds))
    reaches = [level_reach(float(np.ptp(row)), super_rounds, super_rounds) for row in medians]
    covered = np.mean(np.abs(medians.mean(axis=1) - 1) <= reaches)
    assert 0.945 <= covered <= 0.97


@pytest.mark.parametrize(("n", "published"), [(6, 0.399), (10, 0.230), (12, 0.194), (20, 0.126)])
def test_reaches_are_nearly_those_of_lord(n: int, published: float) -> None:
    # Lord 1947: the two-sided 5 % points of |mean| / range
    assert 0.99 * published <= level_reach(1.0, n, n) <= 1.05 * published


def test_one_super_round_says_nothing_of_the_level() -> None:
    assert math.isnan(level_reach(0.0, 1, 1))

"""What may be said of a contrast: against scipy and statsmodels, computed from the planted bits."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from msanet_bench.analysis.verdicts import Verdict
from msanet_bench.report.evidence import Claim, claims, gather
from msanet_bench.report.findings import find
from msanet_bench.report.inputs import read_inputs
from planted_evidence import A_ON, B_OUT, C_OUT, evidence_of, known, parts, table
from planted_results import (
    PARTS,
    Bits,
    full,
    nested_bits,
    planted,
    worth_of_parts,
    write_results,
)


def test_the_planted_effects_are_found_with_the_error_of_a_two_way_table() -> None:
    """The part a is worth (40 + 20) / 2 images of 1000; 28 = 7 x 4 degrees of freedom."""
    y = table(PARTS, planted(PARTS, worth_of_parts))
    rest = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    se = math.sqrt((rest**2).sum() / 28 * 8 * 0.25**2 / 5)
    (claim,) = known(claims(parts(), [A_ON]))
    assert claim.here.estimate == pytest.approx(0.030)
    assert (claim.here.se, claim.here.df) == (pytest.approx(se), 28)
    assert claim.here.high == pytest.approx(0.030 + stats.t.ppf(0.975, 28) * se)


def test_holm_counts_the_whole_family() -> None:
    evidence = evidence_of(PARTS, planted(PARTS, lambda levels: worth_of_parts(levels) // 10, wave=3))
    family = [A_ON, B_OUT, C_OUT]
    found = known(claims(evidence, family))
    raw = [2 * stats.t.sf(abs(c.here.estimate) / c.here.se, c.here.df) for c in found]
    assert [c.verdict.p for c in found if c.verdict] == pytest.approx(multipletests(raw, method="holm")[1])
    (alone,) = known(claims(evidence, [A_ON]))
    assert alone.verdict is not None
    assert alone.verdict.p == pytest.approx(raw[0])
    assert found[0].verdict is not None
    assert found[0].verdict.p == pytest.approx(3 * raw[0])


def test_what_cannot_be_estimated_leaves_the_family_and_none_in_its_place() -> None:
    evidence = parts()
    found = claims(evidence, [None, A_ON, {"baseline": 1.0, "gone": -1.0}, C_OUT])
    assert [claim is None for claim in found] == [True, False, True, False]
    two = claims(evidence, [A_ON, C_OUT])
    assert (found[1], found[3]) == two


def test_without_any_result_nothing_is_claimed() -> None:
    assert gather([], delta=0.005, alpha=0.05) is None
    assert claims(None, [A_ON, None]) == (None, None)


def test_equivalence_is_two_one_sided_tests_at_delta() -> None:
    (claim,) = known(claims(parts(delta=0.002), [C_OUT]))
    here = claim.here
    expected = max(
        stats.t.sf((here.estimate + 0.002) / here.se, here.df),
        stats.t.sf((0.002 - here.estimate) / here.se, here.df),
    )
    assert claim.verdict is not None
    assert claim.verdict.p_equivalence == pytest.approx(expected)


def test_one_seed_has_estimates_and_nothing_else() -> None:
    design = replace(PARTS, seeds=(0,))
    evidence = evidence_of(design, lambda levels, _: nested_bits(800 + worth_of_parts(levels)))
    (claim,) = known(claims(evidence, [A_ON]))
    assert claim.here.estimate == pytest.approx(0.030)
    assert math.isnan(claim.here.low)
    assert (claim.new, claim.verdict, claim.word, claim.scope, claim.more_seeds) == (None,) * 5


def judged(here: str, new: str | None) -> Claim:
    (claim,) = known(claims(parts(), [A_ON]))
    return replace(
        claim,
        verdict=Verdict(0.5, 0.5, here),
        verdict_new=None if new is None else Verdict(0.5, 0.5, new),
    )


@pytest.mark.parametrize(
    ("here", "new", "word", "scope"),
    [
        ("HELPS", "helps", "helps", "new data"),
        ("HELPS", "UNRESOLVED", "HELPS", "this test set"),
        ("NO MATERIAL EFFECT", None, "NO MATERIAL EFFECT", "this test set"),
        ("UNRESOLVED", "UNRESOLVED", "UNRESOLVED", None),
        ("UNRESOLVED", None, "UNRESOLVED", None),
    ],
)
def test_the_scope_is_the_widest_that_is_resolved(
    here: str, new: str | None, word: str, scope: str | None
) -> None:
    claim = judged(here, new)
    assert (claim.word, claim.scope) == (word, scope)


def test_a_family_that_was_not_declared_has_intervals_and_no_verdicts() -> None:
    declared, undeclared = (known(claims(parts(), [A_ON], is_declared=d))[0] for d in (True, False))
    assert (undeclared.verdict, undeclared.verdict_new, undeclared.word) == (None, None, None)
    assert (undeclared.here, undeclared.new) == (declared.here, declared.new)
    assert declared.word == "HELPS"


def uneven(levels: dict[str, str], seed: int) -> Bits:
    """Seeds move the networks without b twenty times as far as those with it, and each in its own way."""
    number = PARTS.variants.index(levels)
    step = (2, -2, 1, -1, 0)[(seed + number) % 5]
    return nested_bits(800 + worth_of_parts(levels) + step * (20 if levels["branches.b"] == "off" else 1))


def test_unequal_deviations_give_single_comparisons_their_own_seeds() -> None:
    evidence = evidence_of(PARTS, uneven)
    assert evidence.is_unequal
    calm, wild, mean = known(
        claims(evidence, [C_OUT, {"branches.b=off": 1.0, "branches.b=off,attention=none": -1.0}, A_ON])
    )
    y = dict(zip(PARTS.names, table(PARTS, uneven), strict=True))
    for claim, (on, off) in ((calm, ("baseline", "attention=none")), (wild, tuple(PARTS.names[2:4]))):
        expected = stats.ttest_rel(y[on], y[off])
        interval = expected.confidence_interval()
        assert claim.is_paired
        assert (claim.here.low, claim.here.high) == pytest.approx((interval.low, interval.high))
        assert claim.here.df == 4
    assert not mean.is_paired
    assert mean.here.df == 28
    assert wild.here.se > 5 * calm.here.se


def test_equal_deviations_pool_the_error_for_all() -> None:
    evidence = parts()
    assert not evidence.is_unequal
    assert [c.here.df for c in known(claims(evidence, [C_OUT, B_OUT, A_ON]))] == [28, 28, 28]
    assert not any(c.is_paired for c in known(claims(evidence, [C_OUT, B_OUT, A_ON])))


def test_of_unequal_deviations_seeds_that_are_not_common_count_for_nothing() -> None:
    evidence = evidence_of(PARTS, uneven, [("baseline", 0), ("attention=none", 4)])
    assert evidence.is_unequal
    (claim,) = known(claims(evidence, [C_OUT]))
    y = dict(zip(PARTS.names, table(PARTS, uneven), strict=True))
    differences = (y["baseline"] - y["attention=none"])[1:4]
    assert claim.here.estimate == pytest.approx(differences.mean())
    assert claim.here.se == pytest.approx(differences.std(ddof=1) / math.sqrt(3))
    lacking = [*(("baseline", s) for s in (0, 1)), *(("attention=none", s) for s in (2, 3, 4))]
    apart = evidence_of(PARTS, uneven, lacking)
    assert apart.is_unequal
    assert claims(apart, [C_OUT]) == (None,)


def test_looks_divide_alpha(tmp_path: Path) -> None:
    """An effect whose adjusted p lies between 0.05 / 3 and 0.05 helps at the first look, not at the third."""
    design = full({"attention": ["eca", "none"]})
    y = {"eca": (8, 0, 9, 1, 7), "none": (0, 0, 2, 1, 4)}  # differences 8 0 7 0 3: t = 2.15, p = 0.098

    def outcome(levels: dict[str, str], seed: int) -> Bits:
        return nested_bits(800 + y[levels["attention"]][seed] + 2 * (levels["attention"] == "eca"))

    p = stats.ttest_rel([8, 0, 9, 1, 7] + 2 * np.ones(5), [0, 0, 2, 1, 4]).pvalue
    assert 0.05 / 3 < p < 0.05
    words = []
    for looks in ([[0, 1, 2, 3, 4]], [[0], [0, 1], [0, 1, 2, 3, 4]]):
        folder = write_results(tmp_path / str(len(looks)), design, outcome, looks=looks)
        found = find(read_inputs(folder))
        claim = found.effects[0].claim
        assert claim is not None
        assert claim.verdict is not None
        assert claim.verdict.p == pytest.approx(p)
        assert found.evidence is not None
        words.append((found.evidence.alpha, claim.verdict.word))
    assert words == [(0.05, "helps"), (pytest.approx(0.05 / 3), "UNRESOLVED")]


def test_more_seeds_are_asked_for_where_nothing_is_resolved_and_resolve_it() -> None:
    """The answer of the noncentral t, one seed less being too few; 28 degrees of freedom need no caution."""
    evidence = evidence_of(PARTS, planted(PARTS, lambda levels: 5 * (levels["attention"] == "eca"), wave=6))
    (claim,) = known(claims(evidence, [C_OUT]))
    assert claim.word == "UNRESOLVED"
    assert claim.more_seeds is not None
    for more, is_enough in ((claim.more_seeds, True), (claim.more_seeds - 1, False)):
        seeds = 5 + more
        se, df = claim.here.se * math.sqrt(5 / seeds), 7 * (seeds - 1)
        critical, shift = stats.t.ppf(0.975, df), 0.005 / se
        finds = stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift)
        dismisses = 1 - 2 * stats.nct.cdf(stats.t.ppf(0.95, df), df, shift)
        assert (min(finds, dismisses) >= 0.8) == is_enough
    resolved = known(claims(parts(), [A_ON]))[0]
    assert resolved.more_seeds is None


def test_the_smallest_detectable_effect_has_a_power_of_four_in_five() -> None:
    (claim,) = known(claims(parts(), [A_ON]))
    critical = stats.t.ppf(0.975, 28)
    assert stats.nct.sf(critical, 28, claim.detectable / claim.here.se) == pytest.approx(0.8, abs=1e-6)


def test_the_accuracies_of_the_helpers_are_the_planted_ones() -> None:
    """The tests' own ground: every deviation adds up to 0 over the seeds."""
    for row, levels in zip(table(PARTS, planted(PARTS, worth_of_parts)), PARTS.variants, strict=True):
        assert row.mean() == pytest.approx((800 + worth_of_parts(levels)) / 1000)
    assert len(set(PARTS.names)) == 8
    assert all(a != b for a, b in pairwise(PARTS.names))

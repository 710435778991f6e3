"""What may be said of new test images: seeds crossed with images, and what is missing for it."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msanet_bench.analysis.contrasts import t_interval
from msanet_bench.analysis.crossed import Crossed, on_new_data
from msanet_bench.report.evidence import claims, gather
from msanet_bench.report.findings import find
from msanet_bench.report.inputs import read_inputs
from planted_evidence import A_ON, B_OUT, C_OUT, evidence_of, known, parts, records_of
from planted_results import (
    PARTS,
    PROVENANCE,
    Bits,
    full,
    nested_bits,
    planted,
    scattered_bits,
    worth_of_parts,
    write_results,
)
from report_text import report


def two_way(bits: np.ndarray) -> tuple[float, float, float]:
    """Variance that images add to a mean over (seeds, images), its degrees of freedom, by definition."""
    seeds, images = bits.shape
    grand = bits.mean()
    of_images, of_seeds = bits.mean(axis=0) - grand, bits.mean(axis=1) - grand
    rest = bits - grand - of_images - of_seeds[:, None]
    square_images = seeds * (of_images**2).sum() / (images - 1)
    square_rest = (rest**2).sum() / (images - 1) / (seeds - 1)
    variance = (square_images - square_rest) / bits.size
    spread = (square_images / bits.size) ** 2 / (images - 1)
    spread += (square_rest / bits.size) ** 2 / (images - 1) / (seeds - 1)
    return variance, variance**2 / spread, grand


def test_new_data_adds_the_images_to_the_error_of_the_seeds() -> None:
    outcome = planted(PARTS, worth_of_parts)
    bits = sum(
        A_ON[PARTS.name(levels)] * np.array([outcome(levels, seed) for seed in PARTS.seeds], dtype=float)
        for levels in PARTS.variants
    )
    variance, df, _ = two_way(np.asarray(bits))
    (claim,) = known(claims(parts(), [A_ON]))
    assert claim.new is not None
    assert claim.new.estimate == claim.here.estimate
    assert claim.new.se == pytest.approx(math.sqrt(claim.here.se**2 + variance), rel=1e-5)
    whole = (claim.here.se**2 + variance) ** 2 / (claim.here.se**4 / 28 + variance**2 / df)
    assert claim.new.df == pytest.approx(whole, rel=1e-4)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.floats(0, 1e-3), st.floats(0, 1e-3), st.integers(2, 10_000))
def test_an_interval_for_new_data_is_never_narrower_than_this_test_sets(
    df: int, se: float, images_sd: float, images_df: int
) -> None:
    here = t_interval(0.01, se, df)
    new = on_new_data(here, Crossed(2, images_df + 1, 0.01, images_sd**2, images_df, 0.1, 0.1))
    assert new is not None
    slack = 1e-12
    assert new.low <= here.low + slack
    assert new.high >= here.high - slack


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_interval_for_new_data_contains_this_test_sets_in_planted_results(seeds: int) -> None:
    design = replace(full({"attention": ["eca", "none"]}), seeds=tuple(range(seeds)))
    for state in range(10):
        evidence = evidence_of(
            design,
            lambda levels, seed, state=state: scattered_bits(
                160 + 7 * (levels["attention"] == "eca"), (state, seed), 200
            ),
        )
        (claim,) = known(claims(evidence, [C_OUT]))
        assert claim.new is not None
        assert claim.new.low <= claim.here.low
        assert claim.new.high >= claim.here.high


def test_no_interval_for_new_data_where_no_two_seeds_are_common() -> None:
    """The baseline has seeds 0, 1 and attention=none 1, 2: one is common, though the model joins them."""
    outcome = planted(PARTS, worth_of_parts)
    lacking = [("baseline", s) for s in (2, 3, 4)] + [("attention=none", s) for s in (0, 3, 4)]
    thin, whole = known(claims(evidence_of(PARTS, outcome, lacking), [C_OUT, B_OUT]))
    assert thin.here.has_interval
    assert thin.new is None
    assert whole.new is not None
    # a family in which one is not known on new data has no verdicts there
    assert thin.verdict is not None
    assert whole.verdict_new is None
    (none,) = known(
        claims(evidence_of(PARTS, outcome, lacking[:3] + [("attention=none", s) for s in (0, 1)]), [C_OUT])
    )
    assert none.crossed is None


def test_two_common_seeds_are_enough_for_new_data() -> None:
    lacking = [("baseline", s) for s in (3, 4)] + [("attention=none", s) for s in (0, 4)]
    evidence = evidence_of(PARTS, planted(PARTS, worth_of_parts), lacking)
    (claim,) = known(claims(evidence, [C_OUT]))
    assert claim.crossed is not None
    assert claim.crossed.seeds == 2
    assert claim.new is not None


def test_different_test_sets_say_nothing_of_new_data() -> None:
    records = records_of(PARTS, planted(PARTS, worth_of_parts))
    other = replace(records[3], provenance={**PROVENANCE, "data_digest": "another"})
    evidence = gather([*records[:3], other, *records[4:]], delta=0.005, alpha=0.05)
    (claim,) = known(claims(evidence, [A_ON]))
    assert (claim.new, claim.crossed, claim.verdict_new) == (None, None, None)
    assert claim.scope == "this test set"


def test_fewer_images_leave_a_claim_on_this_test_set_alone() -> None:
    """Each seed agrees that 6 more of 200 are right, but which ones turn is luck: 30 do either way."""
    design = full({"attention": ["eca", "none"]})

    def outcome(levels: dict[str, str], seed: int) -> Bits:
        is_on = levels["attention"] == "eca"
        bits = np.arange(200) < 140 + (seed % 2 if is_on else 0)
        if is_on:
            bits[:30] = False
            bits[150:186] = True
        return bits

    (claim,) = known(claims(evidence_of(design, outcome), [C_OUT]))
    assert (claim.word, claim.scope) == ("HELPS", "this test set")
    assert claim.verdict_new is not None
    assert claim.verdict_new.word == "UNRESOLVED"


def test_one_test_image_says_nothing_of_others(tmp_path: Path) -> None:
    """Every network has it right but one: there are differences, and no images to tell of."""
    design = full({"attention": ["eca", "none"]})
    folder = write_results(
        tmp_path, design, lambda levels, seed: nested_bits(int(levels["attention"] == "eca" or seed > 1), 1)
    )
    claim = find(read_inputs(folder)).effects[0].claim
    assert claim is not None
    assert claim.here.estimate == pytest.approx(0.4)
    assert claim.new is None
    assert "## Effects" in report(folder)

"""Verdicts in words, and the tone that a figure gives them."""

import math
from dataclasses import replace
from typing import get_args

import pytest

from msanet_bench.analysis.contrasts import t_interval
from msanet_bench.analysis.verdicts import Verdict, Word
from msanet_bench.report.evidence import Claim, claims
from msanet_bench.report.words import TONES, VOCABULARY, tone, verdict, wide
from planted_evidence import A_ON, known, parts


@pytest.fixture
def claim() -> Claim:
    return known(claims(parts(), [A_ON]))[0]


def open_(claim: Claim, **changes: object) -> Claim:
    unresolved = Verdict(0.5, 0.5, "UNRESOLVED")
    return replace(claim, **{"verdict": unresolved, "verdict_new": None, "more_seeds": 4, **changes})


def test_a_resolved_verdict_names_its_scope(claim: Claim) -> None:
    assert verdict(claim) == "HELPS on new data"
    assert verdict(replace(claim, verdict_new=None)) == "HELPS on this test set"


@pytest.mark.parametrize(
    ("more", "said"),
    [(4, "(+4 seeds)"), (1, "(+1 seed)"), (None, "(no number of seeds up to 1000 would do)")],
)
def test_an_open_verdict_names_the_seeds_that_are_missing(claim: Claim, more: int | None, said: str) -> None:
    assert verdict(open_(claim, more_seeds=more)) == f"UNRESOLVED {said}"


def test_a_comparison_of_one_seed_says_so(claim: Claim) -> None:
    alone = t_interval(0.01, math.nan, 0)
    assert verdict(open_(claim, here=alone, more_seeds=None)) == "UNRESOLVED (one seed)"


def test_no_claim_and_no_verdict_are_a_dash(claim: Claim) -> None:
    assert verdict(None) == verdict(replace(claim, verdict=None, verdict_new=None)) == "-"
    assert tone(None) == tone(replace(claim, verdict=None, verdict_new=None)) == "none"


def test_every_word_has_a_tone_and_stands_in_the_vocabulary() -> None:
    assert set(TONES) == set(get_args(Word))
    assert all(f"`{word}`" in VOCABULARY for word in get_args(Word))
    assert (TONES["HELPS"], TONES["hurts"], TONES["negligible"]) == ("helps", "hurts", "equal")


def test_the_wide_bar_is_the_interval_for_new_data_in_points(claim: Claim) -> None:
    bar, new = wide(claim), claim.new
    assert bar is not None
    assert new is not None
    assert bar == pytest.approx((3.0, 100 * new.low, 100 * new.high))
    assert wide(replace(claim, new=None)) is None
    assert wide(None) is None

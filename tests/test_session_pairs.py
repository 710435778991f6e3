from dataclasses import replace

import numpy as np
import pytest

from msanet_bench.errors import BenchError
from msanet_bench.measure.samples import Contender, Session
from msanet_bench.session.pairs import pairs_of, parse_gate, unjudged
from test_session_table import BASE as ANCHOR
from test_session_table import SLOW, WIDTHS, taken

NOISE = 0.005


def other(contender: Contender) -> Contender:
    return replace(contender, side="base", role="variant")


def session(head: float, base: float = 1.0, *, extra: int = 0, seed: int = 0) -> Session:
    """A head that takes `head` times as long as its base; extra variants are the same on both sides."""
    source = np.random.default_rng(seed)
    level = {ANCHOR: 1.0, other(ANCHOR): 1.0, SLOW: head, other(SLOW): base}
    for number in range(extra):
        same = replace(SLOW, variant=f"same{number}")
        level |= {same: 1.0, other(same): 1.0}
    noisy = [replace(s, seconds=s.seconds * np.exp(source.normal(0, NOISE))) for s in taken(80, level)]
    return Session("", WIDTHS, 80, tuple(level), (), tuple(noisy))


def test_head_is_told_as_a_multiple_of_base() -> None:
    baseline, slow = pairs_of(session(head=1.5, base=1.2))
    assert (baseline.variant, slow.variant) == ("baseline", "slow")
    assert slow.ratio.estimate == pytest.approx(1.25, rel=0.01)
    assert slow.together.low < slow.ratio.low < slow.ratio.high < 1.27
    assert slow.head_s / slow.base_s == pytest.approx(1.25, rel=0.01)
    assert baseline.ratio.estimate == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(
    ("head", "limit", "fails"), [(1.10, 1.05, True), (1.04, 1.05, False), (0.5, 1.0, False)]
)
def test_a_gate_fails_when_the_whole_interval_is_beyond_it(head: float, limit: float, *, fails: bool) -> None:
    assert pairs_of(session(head))[1].is_beyond(limit) == fails


def test_many_pairs_ask_for_wider_intervals() -> None:
    # 3 of 100 sessions of unchanged pairs may fail a gate of +0 %; with intervals of 95 % each, 1 of 4 would
    alarms, loose = 0, 0
    for seed in range(12):
        pairs = pairs_of(session(head=1.0, extra=10, seed=seed))
        assert len(pairs) == 12
        alarms += any(pair.is_beyond(1.0) for pair in pairs)
        loose += any(pair.ratio.low > 1.0 for pair in pairs)
        assert all(pair.together.low <= pair.ratio.low for pair in pairs)
    assert alarms <= 2 <= loose


def test_who_has_no_interval_on_both_sides_is_named() -> None:
    whole = session(head=1.0)
    assert unjudged(whole, pairs_of(whole)) == []
    lost = replace(whole, samples=tuple(s for s in whole.samples if s.contender != SLOW))
    assert unjudged(lost, pairs_of(lost)) == ["slow (eager)"]
    short = replace(whole, samples=tuple(s for s in whole.samples if s.visit.super_round == 0))
    assert unjudged(short, pairs_of(short)) == ["baseline (eager)", "slow (eager)"]


def test_twins_and_who_is_on_one_side_alone_make_no_pair() -> None:
    lonely = replace(SLOW, variant="new")
    level = {ANCHOR: 1.0, other(ANCHOR): 1.0, lonely: 1.0, replace(ANCHOR, role="twin"): 1.0}
    pairs = pairs_of(Session("", WIDTHS, 80, tuple(level), (), tuple(taken(20, level))))
    assert [pair.variant for pair in pairs] == ["baseline"]


@pytest.mark.parametrize(("text", "limit"), [("+5%", 1.05), ("5 %", 1.05), ("+0%", 1.0), ("+12.5%", 1.125)])
def test_a_gate_is_a_percentage(text: str, limit: float) -> None:
    assert parse_gate(text) == pytest.approx(limit)


@pytest.mark.parametrize("text", ["5", "-5%", "fast", "+5pp", ""])
def test_anything_else_is_no_gate(text: str) -> None:
    with pytest.raises(BenchError, match=r"--gate: must be a percentage such as `\+5%`, but got"):
        parse_gate(text)

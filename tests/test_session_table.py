import csv
import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as students_t

from msanet_bench.measure.samples import NO_CUDA, Contender, Sample, Session, Unmeasured, Visit
from msanet_bench.session.conditions import summarise_conditions
from msanet_bench.session.files import (
    CONDITIONS,
    LATENCY,
    SAMPLES,
    forget_latency,
    is_measured,
    rewrite_tables,
    write_latency,
)
from msanet_bench.session.table import CI_NOT_MET, NOT_MEASURED, OK, LatencyRow, summarise
from replay import CONDITION, QUIET, contender

BASE, SLOW = contender("baseline", "anchor"), contender("slow")
TWIN = contender("baseline", "twin")
WIDTHS = {"cpu": 0.02, "cuda": 0.01}


def sample(
    who: Contender, number: int, seconds: float, *, phase: str = "measure", rejected: str = ""
) -> Sample:
    """One window in the round of this number, ten rounds a super-round."""
    visit = Visit(phase, number // 10, number // 10, number % 10, 0)
    return Sample(who, CONDITION, visit, "host", 0, 0, seconds, seconds, 1, rejected, QUIET)


def taken(rounds: int, factors: dict[Contender, float]) -> list[Sample]:
    """The time of round k is k + 1 s for a factor of 1."""
    return [sample(who, k, (k + 1) * factor) for k in range(rounds) for who, factor in factors.items()]


def session(samples: list[Sample], *unmeasured: Unmeasured, rounds: int = 10) -> Session:
    names = dict.fromkeys([*(s.contender for s in samples), *(row.contender for row in unmeasured)])
    return Session("d", WIDTHS, rounds, tuple(names), unmeasured, tuple(samples))


TWO = taken(9, {BASE: 1.0, SLOW: 1.5})


def test_the_table_of_nine_rounds_is_what_comes_out_by_hand() -> None:
    rows = summarise(session([sample(BASE, 0, 99.0, phase="warmup"), *TWO]))
    assert [(row.variant, row.device, row.n, row.p50_s) for row in rows] == [
        ("baseline", "cpu", 9, 5.0),
        ("slow", "cpu", 9, 7.5),
        ("baseline", "cuda", 0, None),
        ("slow", "cuda", 0, None),
    ]
    assert [row.ratio_to_anchor for row in rows[:2]] == pytest.approx([1.0, 1.5])
    assert [row.latency_s for row in rows[:2]] == pytest.approx([5.0, 7.5])
    assert [row.images_per_s for row in rows[:2]] == pytest.approx([1 / 5.0, 1 / 7.5])
    assert {row.anchor for row in rows} == {"baseline"}
    assert rows[1].ratio_low is None  # one super-round
    assert rows[1].status == CI_NOT_MET


def test_an_interval_that_is_narrow_enough_is_ok() -> None:
    rows = summarise(session(taken(40, {BASE: 1.0, SLOW: 1.5})))
    assert [row.status for row in rows[:2]] == [OK, OK]
    assert (rows[1].ratio_low, rows[1].ratio_high) == pytest.approx((1.5, 1.5))
    assert [(row.rank_low, row.rank_high) for row in rows[:2]] == [(1, 1), (2, 2)]


def test_who_was_done_at_a_look_keeps_the_wider_interval_that_ended_it() -> None:
    noise = np.random.default_rng(0)
    calm = taken(40, {BASE: 1.0, SLOW: 1.5})
    noisy = [replace(s, seconds=s.seconds * np.exp(noise.normal(0, 0.01))) for s in calm]
    to_the_end, early = (summarise(session(noisy, rounds=rounds))[1] for rounds in (40, 160))
    wide, narrow = (math.log(row.ratio_high / row.ratio_low) for row in (early, to_the_end))
    assert wide / narrow == pytest.approx(students_t.ppf(0.995, 3) / students_t.ppf(0.975, 3), rel=1e-6)
    # out of time between two looks, nothing was selected
    cut = [s for s in noisy if s.visit.super_round < 3]
    assert summarise(session(cut, rounds=160))[1] == summarise(session(cut, rounds=30))[1]


def test_rows_stand_in_the_order_of_the_plan_whoever_came_first() -> None:
    mixed = replace(session(list(reversed(TWO))), contenders=(BASE, SLOW))
    assert [row.variant for row in summarise(mixed)[:2]] == ["baseline", "slow"]


def test_percentiles_are_told_only_of_enough_visits() -> None:
    few, enough = (summarise(session(taken(n, {BASE: 1.0, SLOW: 1.5})))[0] for n in (45, 46))
    assert (few.p10_s, few.p90_s) == (None, None)
    assert (enough.p10_s, enough.p90_s) == pytest.approx((5.5, 41.5))


def test_the_datum_of_a_visit_is_the_median_of_its_windows() -> None:
    windows = [
        replace(s, seconds=s.seconds * f, window=w) for s in TWO for w, f in enumerate((1.0, 0.9, 7.0))
    ]
    assert [row.p50_s for row in summarise(session(windows))[:2]] == pytest.approx([5.0, 7.5])


def test_what_was_rejected_is_kept_and_does_not_count() -> None:
    bad = [replace(s, seconds=1000.0, rejected="power cap") for s in TWO]
    rows = summarise(session([*bad, *TWO]))
    assert [(row.n, row.p50_s) for row in rows[:2]] == [(9, 5.0), (9, 7.5)]
    assert summarise_conditions(session([*bad, *TWO]))[0].rejected == 0.5


def test_throughput_is_that_of_calls_in_a_row_where_there_are_such() -> None:
    streams = [sample(SLOW, k, 0.25, phase="stream") for k in range(9)]
    base, slow = summarise(session([*TWO, *streams]))[:2]
    assert (base.images_per_s, slow.images_per_s) == pytest.approx((1 / 5.0, 4.0))


def test_a_number_measured_on_the_cpu_never_stands_in_a_cuda_row() -> None:
    cpu, cuda = summarise(session(TWO))[1:3]
    assert cpu.status == CI_NOT_MET
    assert cuda == LatencyRow(
        "head",
        "baseline",
        "anchor",
        "cuda",
        1,
        "fp32_strict",
        "eager",
        "warm",
        "contiguous",
        anchor="baseline",
        status=NO_CUDA,
    )


def test_with_a_cuda_device_both_are_measured_and_compared_with_their_own_anchor() -> None:
    on_cuda = [replace(s, condition=replace(CONDITION, device="cuda"), seconds=s.seconds / 10) for s in TWO]
    rows = summarise(session([*on_cuda, *TWO]))
    assert [row.device for row in rows] == ["cpu", "cpu", "cuda", "cuda"]
    assert [row.ratio_to_anchor for row in rows] == pytest.approx([1.0, 1.5] * 2)


def test_conditions_do_not_mix() -> None:
    large = [replace(s, condition=replace(CONDITION, batch=32), seconds=s.seconds * 7) for s in TWO]
    rows = summarise(session([*TWO, *large]))
    assert [(row.batch, row.p50_s) for row in rows[:4]] == [(1, 3.0 + 2), (1, 7.5), (32, 35.0), (32, 52.5)]


def test_who_could_not_be_measured_has_a_row_with_the_reason() -> None:
    graph = replace(SLOW, mode="cuda_graph")
    reason = "not measured (cuda_graph is a mode of CUDA devices)"
    rows = summarise(session(TWO, Unmeasured(graph, CONDITION, reason)))
    assert [(row.mode, row.n, row.latency_s, row.status) for row in rows if row.mode == "cuda_graph"] == [
        ("cuda_graph", 0, None, reason),
        ("cuda_graph", 0, None, NO_CUDA),
    ]


def test_without_the_anchor_nobody_has_a_number() -> None:
    lost = replace(session([], Unmeasured(BASE, CONDITION, "oom")), contenders=(BASE, SLOW))
    assert [(row.variant, row.status) for row in summarise(lost)[:2]] == [
        ("baseline", "oom"),
        ("slow", NOT_MEASURED),
    ]
    assert summarise_conditions(lost) == []


def test_twins_have_a_row_and_a_verdict_and_no_rank() -> None:
    noise = np.random.default_rng(1)
    level = {BASE: 1.0, SLOW: 1.5, TWIN: 1.0, contender("slow", "twin"): 1.6}
    samples = [replace(s, seconds=s.seconds * (1 + noise.normal(0, 0.01))) for s in taken(80, level)]
    rows = {(row.variant, row.role): row for row in summarise(session(samples))}
    assert rows["baseline", "twin"].ratio_to_anchor == pytest.approx(1.0, abs=0.01)
    assert rows["baseline", "twin"].rank_low is None
    condition = summarise_conditions(session(samples))[0]
    assert (condition.twins, condition.twins_told_apart) == (2, 1)
    assert (condition.contenders, condition.rounds, condition.super_rounds) == (4, 80, 8)
    assert condition.split_half_tau == 1.0


def test_the_tables_are_a_pure_function_of_the_samples(tmp_path: Path) -> None:
    write_latency(tmp_path, session(taken(50, {BASE: 1.0, SLOW: 1.5, TWIN: 1.0})))
    written = [(tmp_path / name).read_bytes() for name in (LATENCY, CONDITIONS)]
    for name in (LATENCY, CONDITIONS):
        (tmp_path / name).unlink()
    assert rewrite_tables(tmp_path) == [tmp_path / LATENCY, tmp_path / CONDITIONS]
    assert [(tmp_path / name).read_bytes() for name in (LATENCY, CONDITIONS)] == written


def test_the_csv_reads_as_this(tmp_path: Path) -> None:
    write_latency(tmp_path, session(taken(3, {BASE: 1.0, SLOW: 1.5})))
    text = (tmp_path / LATENCY).read_text(encoding="utf-8")
    assert text.splitlines()[0] == (
        "side,variant,role,device,batch,precision,mode,cache,memory_format,threads,clock,n,latency_s,"
        "p10_s,p50_s,p90_s,ratio_to_anchor,ratio_low,ratio_high,rank_low,rank_high,images_per_s,anchor,status"
    )
    assert text.splitlines()[1] == (
        "head,baseline,anchor,cpu,1,fp32_strict,eager,warm,contiguous,1,host,3,2,,,,1,,,1,2,0.5,baseline,ok"
    )
    last = list(csv.DictReader(io.StringIO(text)))[3]
    assert (last["status"], last["latency_s"]) == ("not measured (no CUDA device)", "")


def test_a_session_counts_as_taken_when_all_of_it_is_there(tmp_path: Path) -> None:
    assert not is_measured(tmp_path, "d")
    write_latency(tmp_path, session(TWO))
    assert is_measured(tmp_path, "d")
    assert not is_measured(tmp_path, "another")
    (tmp_path / CONDITIONS).unlink()
    assert not is_measured(tmp_path, "d")
    forget_latency(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_half_a_session_counts_as_none(tmp_path: Path) -> None:
    """Killed between two of its files: the samples, which name it, come last."""
    write_latency(tmp_path, session(TWO))
    (tmp_path / SAMPLES).unlink()
    assert not is_measured(tmp_path, "d")

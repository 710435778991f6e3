"""What the report says of latency: whether to trust it first, then every number with its condition."""

import csv
import io
import re
import shutil
from pathlib import Path

import pytest

from msanet_bench.report.build import build_report, report_files
from msanet_bench.report.latency import main_timings
from msanet_bench.report.timings import read_latencies
from report_text import edit_table, plain, report, rows, section

TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


@pytest.fixture
def results(small_results: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "small")
    return tmp_path / "small"


def latency(results: Path) -> str:
    return section(report(results), "Latency")


def lead(results: Path) -> str:
    return latency(results).strip().splitlines()[0]


def tables(results: Path) -> list[list[list[str]]]:
    return [rows(text) for text in TABLE.findall(latency(results))]


def set_sessions(results: Path, **values: str) -> None:
    edit_table(results / "latency_sessions.csv", lambda _: True, **values)


@pytest.mark.parametrize(
    ("tau", "reproducible"), [("0.8", True), ("0.79", False), ("0", False), ("-1", False)]
)
def test_below_a_tau_of_four_fifths_the_ranks_are_called_not_reproducible(
    results: Path, tau: str, *, reproducible: bool
) -> None:
    set_sessions(results, split_half_tau=tau)
    assert ("Ranks not reproducible on this machine" in lead(results)) != reproducible
    assert ("should come out much the same" in lead(results)) == reproducible
    captions = [line for line in latency(results).splitlines() if line.startswith("Latency on cpu")]
    assert [("Ranks not reproducible" in line) for line in captions] == [not reproducible] * 2


def test_one_super_round_is_taken_for_no_agreement_no_steadiness_and_no_twins(results: Path) -> None:
    set_sessions(results, split_half_tau="", super_rounds="1", drift="", twins_told_apart="")
    assert "is not known: the session has no two rankings to compare" in lead(results)
    assert "No twins, one network timed under two names, show that equals come out equal." in lead(results)
    assert "much the same" not in latency(results)
    assert "drifted" not in latency(results)
    assert latency(results).count("Of one super-round tau, drift and twins are not known") == 2


def test_one_network_alone_has_drift_but_no_ranking(results: Path) -> None:
    set_sessions(results, split_half_tau="")
    assert "is not known: the session has no two rankings to compare" in lead(results)
    assert "drifted by 6.1 to 18.3 %" in lead(results)
    assert latency(results).count("Split-half tau not known, drift ") == 2


def test_drift_rejected_share_and_twins_are_stated(results: Path) -> None:
    set_sessions(results, drift="0.034", rejected="0.002", twins_told_apart="1")
    assert "drifted by 3.4 % " in lead(results)
    assert "Of the timed windows 0.2 % were rejected." in lead(results)
    assert "2 of 4 pairs told apart, though they are equal" in lead(results)
    assert "Twins, which are one network, were told apart" in section(report(results), "Threats to validity")


def test_twins_that_tie_are_no_threat(small_results: Path) -> None:
    assert "0 of 4 pairs told apart, as it should be" in lead(small_results)
    assert "Twins" not in section(report(small_results), "Threats to validity")


def test_a_session_without_twins_says_that_nothing_was_shown(results: Path) -> None:
    set_sessions(results, twins="0", twins_told_apart="0")
    assert "No twins, one network timed under two names, show" in lead(results)
    assert "under two names" not in section(report(results), "What was run")


def test_without_the_table_of_sessions_nothing_is_claimed(results: Path) -> None:
    (results / "latency_sessions.csv").unlink()
    assert "Whether the ranking would come out again is not known" in lead(results)


def test_there_is_one_row_a_variant_and_mode_with_ranks_between_1_and_their_number(
    small_results: Path,
) -> None:
    main = [table for table in tables(small_results) if len(table[0]) > 6]
    assert [len(table) for table in main] == [12, 12]
    for table in main:
        for row in table:
            low, *high = map(int, row[5].split("-"))
            assert 1 <= low <= (high or [low])[0] <= len(table)


def test_no_percentile_stands_without_the_samples_that_it_needs(small_results: Path) -> None:
    # 46: the binomial rule with one sample to spare, as in MLPerf's early stopping, at 95 %
    for table in tables(small_results):
        for row in (row for row in table if len(row) > 6):
            assert [cell == "-" for cell in (row[6], row[8])] == [int(row[2]) < 46] * 2


def test_the_latency_is_the_ratio_times_the_anchors(small_results: Path) -> None:
    for timing in read_latencies(small_results).timings:
        if timing.is_measured and timing.ratio is not None and timing.latency is not None:
            anchor = {1: 0.000972368, 32: 0.0142315}[timing.condition.batch]
            assert timing.latency == pytest.approx(timing.ratio * anchor, rel=1e-4)


def test_what_fusing_buys_is_a_quotient_with_an_interval_for_the_anchor_alone(results: Path) -> None:
    edit_table(
        results / "latency.csv",
        lambda row: row["variant"] == "attention=none" and row["device"] == "cpu" and row["mode"] == "eager",
        ratio_to_anchor="0.8",
    )
    edit_table(
        results / "latency.csv",
        lambda row: row["variant"] == "attention=none" and row["device"] == "cpu" and row["mode"] == "fused",
        ratio_to_anchor="0.6",
    )
    bought = {plain(row[0]): row[-1] for row in tables(results)[1]}
    assert bought["attention=none"] == "0.750"
    assert bought["baseline"] == "0.834 [0.823, 0.844]"


def test_a_mode_that_one_variant_does_not_have_is_a_reason_and_no_quotient(results: Path) -> None:
    edit_table(
        results / "latency.csv",
        lambda row: row["variant"] == "attention=eca" and row["device"] == "cpu" and row["mode"] == "fused",
        status="not measured (fused: no norm to fold)",
        latency_s="",
    )
    main, bought = tables(results)[:2]
    assert [row[-1] for row in main if plain(row[0]) == "attention=eca"] == [
        "ok",
        "not measured (fused: no norm to fold)",
    ]
    assert "attention=eca" not in {plain(row[0]) for row in bought}


@pytest.mark.parametrize(("ratio", "bound"), [("0.8", True), ("0.84", False)])
def test_a_network_that_waits_for_its_launches_is_called_host_bound(
    results: Path, ratio: str, *, bound: bool
) -> None:
    # 1 / 0.8 = 1.25 and 1 / 0.84 = 1.19, on either side of 1.2
    edit_table(results / "latency.csv", lambda row: row["mode"] == "fused", mode="cuda_graph")
    edit_table(results / "latency.csv", lambda row: row["mode"] == "cuda_graph", ratio_to_anchor=ratio)
    edit_table(results / "latency.csv", lambda row: row["mode"] == "eager", ratio_to_anchor="1")
    said = "Host-bound: ranks reflect kernel count, not arithmetic" in latency(results)
    assert said == bound
    assert ("No network is host-bound" in latency(results)) != bound


@pytest.mark.parametrize(
    ("column", "later"), [("mode", "fused"), ("batch", "2"), ("precision", "amp_bf16"), ("cache", "cold")]
)
def test_the_main_table_prefers_eager_small_strict_and_warm_wherever_it_stands(
    results: Path, column: str, later: str
) -> None:
    file = results / "latency.csv"
    usual = {"mode": "eager", "batch": "1", "precision": "fp32_strict", "cache": "warm"}
    edit_table(file, lambda row: row["mode"] == "eager", **usual | {column: later}, images_per_s="1")
    edit_table(file, lambda row: row["mode"] != "eager" and row["images_per_s"] != "1", **usual)
    chosen = main_timings(read_latencies(results), "cpu")["baseline"]
    condition = chosen.condition
    found = (chosen.mode, str(condition.batch), condition.precision, condition.cache)
    assert found == tuple(usual.values())
    assert chosen.images_per_s != 1


def test_a_main_column_that_is_not_the_usual_one_says_so(results: Path) -> None:
    edit_table(results / "latency.csv", lambda _: True, precision="amp_bf16", cache="cold")
    assert "CPU latency, ms (batch 1, amp_bf16, cache cold)" in report(results)


def test_a_condition_that_a_device_refuses_is_listed_with_its_reason(results: Path) -> None:
    reason = "not measured (tf32 is a format of CUDA devices)"
    edit_table(
        results / "latency.csv",
        lambda row: row["batch"] == "32" and row["device"] == "cpu",
        precision="tf32",
        threads="",
        latency_s="",
        status=reason,
    )
    assert f"- cpu, batch 32, tf32, cache warm: {reason}.\n" in latency(results)


def test_the_exported_latencies_are_those_of_the_results(small_results: Path) -> None:
    files = report_files(build_report(small_results))
    exported = list(csv.DictReader(io.StringIO(files["tables/latency.csv"])))
    with (small_results / "latency.csv").open(encoding="utf-8", newline="") as lines:
        kept = [row for row in csv.DictReader(lines) if row["role"] != "twin"]
    assert len(exported) == len(kept) == 48
    for row, given in zip(exported, kept, strict=True):
        assert row["latency"] == given["latency_s"]
        assert row["rank_low"] == given["rank_low"]
    main = list(csv.DictReader(io.StringIO(files["tables/variants.csv"])))
    assert main[0]["cpu_latency"] == "0.000972368"
    assert {row["cuda_latency"] for row in main} == {""}

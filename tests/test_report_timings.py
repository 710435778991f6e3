"""Reading the tables of latency."""

import csv
import shutil
from pathlib import Path

import pytest

from msanet_bench.report.inputs import read_inputs
from msanet_bench.report.timings import Condition, read_latencies
from report_text import edit_table, report, section

OLD = (
    "variant,device,batch,precision,mode,cache,threads,n,p50_s,p90_s,ratio_to_anchor,ratio_low,ratio_high,"
    "anchor,status\nbaseline,cpu,1,fp32,eager,warm,1,120,0.00777,0.00888,1,1,1,baseline,ok\n"
)


@pytest.fixture
def results(small_results: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "small")
    return tmp_path / "small"


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_row_of_a_variant_is_read_and_no_twin(results: Path) -> None:
    rows = table(results / "latency.csv")
    kept = [row for row in rows if row["role"] != "twin"]
    assert len(rows) - len(kept) == 4
    timings = read_latencies(results).timings
    assert [(t.variant, t.mode, str(t.condition.batch), t.status) for t in timings] == [
        (row["variant"], row["mode"], row["batch"], row["status"]) for row in kept
    ]


def test_the_other_side_of_a_comparison_is_left_out(results: Path) -> None:
    edit_table(results / "latency.csv", lambda row: row["mode"] == "fused", side="base")
    assert {timing.mode for timing in read_latencies(results).timings} == {"eager"}


def test_a_device_that_is_not_there_has_no_latency_but_a_reason(results: Path) -> None:
    timings = read_latencies(results).timings
    assert {t.status for t in timings if t.condition.family == "cuda"} == {"not measured (no CUDA device)"}
    assert all(timing.is_measured == (timing.condition.family == "cpu") for timing in timings)


def test_a_wide_interval_takes_no_number_away(results: Path) -> None:
    wide = [timing for timing in read_latencies(results).timings if timing.status == "ci_not_met"]
    assert wide
    assert all(timing.is_measured and timing.has_interval for timing in wide)


def test_a_session_is_found_by_its_condition_and_its_notes_too(results: Path) -> None:
    latencies = read_latencies(results)
    condition = Condition("cpu", 32, "fp32_strict", "warm")
    session = latencies.session(condition)
    assert session is not None
    assert (session.tau, session.is_unsteady, session.twins) == (0.727273, True, 2)
    assert latencies.notes[condition] == ("7 windows do not count; the samples say why.",)
    assert latencies.session(Condition("cpu", 8, "fp32_strict", "warm")) is None


def test_latencies_of_an_older_version_are_left_out_with_a_way_out(results: Path) -> None:
    (results / "latency.csv").write_text(OLD)
    latencies = read_inputs(results).latencies
    assert (latencies.timings, latencies.is_old) == ((), True)
    text = report(results)
    assert "CPU latency, ms: not measured (an older latency.csv)" in text
    said = section(text, "Latency")
    assert "`latency.csv` was written by an older version" in said
    assert "measure again with `msanet-bench latency experiments/small.yaml`" in said
    assert "7.77" not in text


def test_a_table_that_is_neither_old_nor_new_is_not_taken_for_an_old_one(results: Path) -> None:
    (results / "latency.csv").write_text((results / "latency.csv").read_text().split("\n")[0] + "\n")
    assert not read_latencies(results).is_old

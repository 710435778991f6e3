"""Parameters, multiply-accumulates and latencies side by side, as ratios."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from compared import (
    MACHINE,
    cell,
    cells,
    column_of,
    compare_records,
    entry_of,
    table_of,
    write_folder,
)
from msanet_bench.analysis.two_sessions import level_reach
from msanet_bench.compare import Comparison, compare, exit_code, parse_gate, render, rule
from msanet_bench.errors import ResultsError

TWO_PROCESSES = "two sessions are two processes"


@pytest.mark.parametrize(
    ("base", "head", "shown", "mark"),
    [
        (200, 200, "+0.00%", "="),
        (200, 150, "-25.00%", "better"),
        (200, 203, "+1.50%", "worse"),
        (1_000_000, 1_000_012, "+12", "worse"),
        (0, 0, "+0.00%", "="),
    ],
)
def test_counts_are_compared_exactly(tmp_path: Path, base: int, head: int, shown: str, mark: str) -> None:
    comparison = compare_records(tmp_path, [cell("a", 0, 0.5, params=base)], [cell("a", 0, 0.5, params=head)])
    assert entry_of(comparison, metric="params").mark == mark
    line = next(line for line in render(comparison).split("parameters\n")[1].splitlines() if line[:2] == "a ")
    assert line.split()[3:] == [shown, mark]


def test_the_last_row_is_the_geometric_mean_of_the_ratios(tmp_path: Path) -> None:
    sizes = {"a": (100, 50), "b": (100, 400), "c": (100, 100)}
    base, head = ([cell(n, 0, 0.5, params=both[side]) for n, both in sizes.items()] for side in (0, 1))
    summary = column_of(compare_records(tmp_path, base, head), "params").summary
    assert summary is not None
    # 0.5 x 4 x 1 = 2
    assert (summary.change, summary.counts) == (pytest.approx(2 ** (1 / 3) - 1), (3,))


def test_a_ratio_of_nothing_leaves_no_geometric_mean_and_says_so(tmp_path: Path) -> None:
    base, head = ([cell("a", 0, 0.5, params=params)] for params in (5, 0))
    comparison = compare_records(tmp_path, base, head)
    assert column_of(comparison, "params").summary is None
    assert "note: head: no geomean, since a ratio is 0." in render(comparison)


def test_a_count_from_nothing_has_no_ratio(tmp_path: Path) -> None:
    base, head = ([cell("a", 0, 0.5, params=params)] for params in (0, 5))
    assert entry_of(compare_records(tmp_path, base, head), metric="params").change is None


def test_accuracies_have_no_geometric_mean(tmp_path: Path) -> None:
    records = [*cells("a", 0.5, 0.6), *cells("b", 0.5, 0.6)]
    assert table_of(compare_records(tmp_path, records, records), "accuracy").summary == "mean of the rows"


def test_a_count_that_differs_between_seeds_is_not_compared(tmp_path: Path) -> None:
    records = [cell("a", 0, 0.5, params=1), cell("a", 1, 0.5, params=2)]
    comparison = compare_records(tmp_path, records, records)
    assert entry_of(comparison, metric="params").base is None
    assert "all rows: not counted, or not the same for all seeds." in render(comparison)
    half = compare_records(tmp_path, records, cells("a", 0.5, 0.5, params=3))
    assert "all rows: not counted, or not the same for all seeds." in render(half)


@pytest.mark.parametrize("measure", ["params", "macs"])
def test_the_same_settings_with_other_costs_are_an_error(tmp_path: Path, measure: str) -> None:
    sizes: list[dict[str, Any]] = [{"params": 100, "macs": 10}, {"params": 100, "macs": 10}]
    sizes[1][measure] += 1
    base, head = ([cell("a", 0, 0.5, key="same", **size)] for size in sizes)
    comparison = compare_records(tmp_path, base, head)
    assert "error: `a`: the same settings must cost the same" in render(comparison)
    assert exit_code(comparison, (), strict=False) == 3
    # of other settings, other costs are what one expects
    other = compare_records(tmp_path, base, [cell("a", 0, 0.5, key="other", **sizes[1])])
    assert exit_code(other, (), strict=False) == 0


def _latencies(
    folder: Path, base: Mapping[str, float], head: Mapping[str, float], *, force: bool = False, **of_head: Any
) -> Comparison:
    sides = {
        "base": write_folder(folder / "a", cells("a", 0.5, 0.6), medians=base),
        "head": write_folder(folder / "b", cells("a", 0.5, 0.6), medians=head, **of_head),
    }
    return compare(sides, force=force)


def test_latencies_of_two_sessions_are_compared_as_ratios_of_medians(tmp_path: Path) -> None:
    comparison = _latencies(tmp_path, {"a": 0.002}, {"a": 0.0025}, drift=0.05, super_rounds=10)
    entry = entry_of(comparison, metric="latency_p50")
    assert entry.change == pytest.approx(0.25)
    # each side: its ratio to the anchor and the anchor's own level, all independent
    ratio = math.log(1.02 / 0.98) / 2
    levels = level_reach(0.02, 12, 12), level_reach(0.05, 10, 10)
    reach = math.sqrt(2 * ratio**2 + levels[0] ** 2 + levels[1] ** 2)
    assert entry.interval == pytest.approx((1.25 * math.exp(-reach) - 1, 1.25 * math.exp(reach) - 1))
    assert TWO_PROCESSES in render(comparison)
    assert entry.mark == "worse"


@pytest.mark.parametrize(
    ("head", "mark"), [(0.00202, "~"), (0.00206, "~"), (0.0030, "worse"), (0.0015, "better")]
)
def test_only_what_two_processes_cannot_explain_is_told_apart(tmp_path: Path, head: float, mark: str) -> None:
    # 3 % more with an interval of 2.9 % on both sides lies within what unchanged code shows
    comparison = _latencies(tmp_path, {"a": 0.002}, {"a": head}, drift=0.001)
    assert entry_of(comparison, metric="latency_p50").mark == mark


def test_the_very_same_session_differs_in_nothing(tmp_path: Path) -> None:
    comparison = _latencies(tmp_path, {"a": 0.002}, {"a": 0.002})
    entry = entry_of(comparison, metric="latency_p50")
    assert (entry.method, entry.mark, entry.interval) == ("identical", "=", (0, 0))
    assert TWO_PROCESSES not in render(comparison)
    rulings = rule(comparison, [parse_gate("latency_p50:0")], "noninferiority")
    assert rulings[0].status == "holds"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"machine": {**MACHINE, "cpu": "Xeon"}}, "processor EPYC and Xeon"),
        ({"machine": {**MACHINE, "cores": 64}}, "cores 2 and 64"),
        ({"machine": {**MACHINE, "torch": "3.0"}}, "torch 2.14.1 and 3.0"),
        ({"machine": {}}, "processor EPYC and not recorded"),
        ({"threads": "2"}, "threads 1 and 2"),
    ],
)
def test_latencies_of_other_machines_are_refused_unless_forced(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    medians = {"a": 0.002}
    refused = _latencies(tmp_path, medians, {"a": 0.003}, **change)
    entry = entry_of(refused, metric="latency_p50")
    assert (entry.mark, entry.change, entry.base) == ("x", None, 0.002)
    assert said in " ".join(render(refused).split())
    # accuracies were compared, so that this alone is no failure; a gate on what was refused is
    assert exit_code(refused, (), strict=False) == 0
    rulings = rule(refused, [parse_gate("latency_p50:+5%")], "regression")
    assert exit_code(refused, rulings, strict=False) == 3
    forced = _latencies(tmp_path, medians, {"a": 0.003}, force=True, **change)
    assert entry_of(forced, metric="latency_p50").change == pytest.approx(0.5)
    assert "warning: latencies of base and head are of different machines" in render(forced)


def test_a_machine_that_neither_session_names_may_be_another(tmp_path: Path) -> None:
    sides = {
        name: write_folder(tmp_path / name, cells("a", 0.5), medians={"a": seconds}, machine={})
        for name, seconds in (("base", 0.002), ("head", 0.003))
    }
    assert entry_of(compare(sides), metric="latency_p50").mark == "x"


def test_a_session_of_one_super_round_gives_no_interval(tmp_path: Path) -> None:
    comparison = _latencies(tmp_path, {"a": 0.002}, {"a": 0.003}, super_rounds=1)
    assert entry_of(comparison, metric="latency_p50").interval is None
    assert "a session of one super-round does not know its own noise" in render(comparison)


def test_latencies_of_one_side_are_named(tmp_path: Path) -> None:
    sides = {
        "base": write_folder(tmp_path / "a", cells("a", 0.5), medians={"a": 0.002}),
        "head": write_folder(tmp_path / "b", cells("a", 0.5)),
    }
    comparison = compare(sides)
    assert "note: latencies are not compared (head: not measured)." in render(comparison)
    rulings = rule(comparison, [parse_gate("latency_p50:+5%")], "regression")
    assert (rulings[0].status, exit_code(comparison, rulings, strict=False)) == ("not comparable", 3)


def test_a_condition_of_one_side_is_named(tmp_path: Path) -> None:
    comparison_folder = write_folder(tmp_path / "b", cells("a", 0.5), medians={"a": 0.003})
    table = comparison_folder / "latency.csv"
    table.write_text(
        table.read_text() + table.read_text().splitlines()[1].replace("cpu,1,", "cpu,32,") + "\n"
    )
    base = write_folder(tmp_path / "a", cells("a", 0.5), medians={"a": 0.002})
    shown = " ".join(render(compare({"base": base, "head": comparison_folder})).split())
    assert "latencies in one of base and head only: cpu, batch 32, fp32_strict, warm caches, eager." in shown


def test_latencies_of_an_older_version_are_left_out(tmp_path: Path) -> None:
    comparison_folders = {
        n: write_folder(tmp_path / n, cells("a", 0.5), medians={"a": 1}) for n in ("x", "y")
    }
    (tmp_path / "y" / "latency.csv").write_text("variant,p50_s\na,0.1\n")
    shown = render(compare(comparison_folders))
    assert "latencies are not compared (y: of an older version, which measured otherwise)." in shown


def test_damaged_latencies_are_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "x", cells("a", 0.5), medians={"a": 0.002})
    (folder / "latency.csv").write_text("side,role,latency_s\nhead,variant,oops\n")
    with pytest.raises(ResultsError, match="its latencies are damaged"):
        compare({"base": folder, "head": folder})


@pytest.mark.parametrize("name", ["latency.csv", "latency_sessions.csv", "session.json"])
@pytest.mark.parametrize("content", [b"\xff\xfe", b"side,role\n" + b"n" * 200_000])
def test_latencies_that_are_no_text_are_named(name: str, content: bytes, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "x", cells("a", 0.5), medians={"a": 0.002})
    (folder / name).write_bytes(content)
    with pytest.raises(ResultsError, match="its latencies are damaged"):
        compare({"base": folder, "head": folder})


def test_twins_and_the_other_side_of_a_session_are_no_variants(small_results: Path) -> None:
    comparison = compare({"base": small_results, "head": small_results})
    tables = [table for table in comparison.tables if table.metric.name == "latency_p50"]
    assert len(tables) == 4
    assert all(len(table.variants) == 6 for table in tables)
    assert not any(table.condition.startswith("cuda") for table in tables)

"""The numbers of a table for a paper, against records, profile and latencies worked out by hand."""

import csv
import json
import shutil
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from msanet_bench.records import Record, read_records, write_records
from msanet_bench.report.external import read_references
from msanet_bench.report.inputs import MixedResultsError
from paper_tables import body, fields, header, notes
from report_text import edit_manifest, edit_table

OTHERS = """\
model,top1,param_count,gmacs,latency_ms
resnet18,71.51,11.69,1.82,
"tiny, [sic]",60,0.02,,12.5
"""
ALL = ("mean", "sd", "accuracy", "interval", "n", "difference", "params", "macs", "latency")


@pytest.fixture
def results(small_results: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "small")
    return tmp_path / "small"


@pytest.fixture
def others(tmp_path: Path) -> Path:
    path = tmp_path / "others.csv"
    path.write_text(OTHERS)
    return path


def of_records(results: Path) -> dict[str, list[float]]:
    """Accuracies in percent by the variant's short name."""
    found: dict[str, list[float]] = {}
    for record in read_records(results):
        values = found.setdefault(record.variant.replace("branches.", ""), [])
        if record.status == "ok":
            values.append(100 * record.measures["accuracy"].value)
    return found


def test_mean_sd_and_n_are_of_the_seeds_that_succeeded(small_results: Path) -> None:
    values = of_records(small_results)
    table = body(small_results, columns=["mean,sd", "accuracy", "n"])
    assert list(table) == list(values)
    for name, (mean, sd, both, n) in table.items():
        assert float(mean) == pytest.approx(statistics.mean(values[name]), abs=0.00501)
        assert float(sd) == pytest.approx(statistics.stdev(values[name]), abs=0.00501)
        assert both == f"{mean} \u00b1 {sd}"
        assert n == ("3" if len(values[name]) == 3 else "2/3")
    assert [n for *_, n in table.values()].count("2/3") == 3


def test_an_interval_of_accuracy_is_student_s_t(small_results: Path) -> None:
    values = of_records(small_results)["attention=eca"]
    # t(2) = 4.302653
    half = 4.302653 * statistics.stdev(values) / 3**0.5
    mean = statistics.mean(values)
    expected = f"[{mean - half:.2f}, {mean + half:.2f}]"
    assert body(small_results, columns=["interval"])["attention=eca"] == [expected]


def test_differences_are_those_of_a_second_fit(small_results: Path) -> None:
    """Variants and seeds as dummies, solved by numpy's least squares with scipy's t."""
    cells = [record for record in read_records(small_results) if record.status == "ok"]
    names, seeds = (
        list(dict.fromkeys(getattr(c, key) for c in read_records(small_results)))
        for key in ("variant", "seed")
    )
    # the baseline and the first seed are what the others are measured from
    design = np.array(
        [[1.0, *(c.variant == n for n in names[1:]), *(c.seed == s for s in seeds[1:])] for c in cells]
    )
    y = np.array([100 * c.measures["accuracy"].value for c in cells])
    solution, squares, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    df = len(y) - rank
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * squares[0] / df)
    half = stats.t.ppf(0.975, df) * errors
    shown = body(small_results, columns=["difference"])
    assert shown.pop("baseline") == ["baseline"]
    for index, cell in enumerate(shown.values(), start=1):
        value, low, high = solution[index], solution[index] - half[index], solution[index] + half[index]
        assert cell == [f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"]


def test_counts_are_those_of_the_profile_in_the_unit_of_the_largest(small_results: Path) -> None:
    profile = json.loads((small_results / "profile.json").read_text())["variants"]
    # 33,300 parameters and 3,230,100 multiply-accumulates
    assert body(small_results, columns=["params", "macs"])["baseline"] == ["33.3", "3.23"]
    assert header(small_results, columns=["params", "macs"]) == ["params, K", "MACs, M"]
    for row in fields(small_results, columns=["params", "macs"]):
        counted = profile[row["variant"].replace("conv5", "branches.conv5")]
        macs = "" if counted["macs"] is None else str(counted["macs"])
        assert (row["params"], row["macs"]) == (str(counted["params"]), macs)


def test_a_latency_is_the_eager_one_of_the_smallest_batch(small_results: Path) -> None:
    with (small_results / "latency.csv").open() as lines:
        timings = [
            row
            for row in csv.DictReader(lines)
            if (row["device"], row["batch"], row["mode"]) == ("cpu", "1", "eager") and row["role"] != "twin"
        ]
    shown = body(small_results, columns=["latency"], decimals=["latency=6"])
    assert header(small_results, columns=["latency"]) == ["CPU latency, ms"]
    for timing in timings:
        cell = shown[timing["variant"].replace("branches.", "")]
        assert float(cell[0]) == pytest.approx(1000 * float(timing["latency_s"]), abs=1e-6)
    assert "CPU latency: batch 1, eager, fp32_strict, warm caches, 1 thread." in notes(small_results)


def test_kinds_of_devices_have_columns_of_their_own(results: Path) -> None:
    assert body(results, columns=["latency_cuda"])["baseline"] == ["-"]
    assert "CUDA latency: not measured (no CUDA device)." in notes(results, columns=["latency_cuda"])
    for file in ("latency.csv", "latency_sessions.csv"):
        edit_table(results / file, lambda row: row["device"] == "cpu", device="cuda:0")
    assert header(results, columns=["latency"]) == ["CUDA latency, ms"]
    assert body(results, columns=["latency_cpu,latency_cuda"])["baseline"] == ["-", "0.972"]


def test_without_any_latency_the_table_says_so(results: Path) -> None:
    (results / "latency.csv").unlink()
    assert body(results, columns=["latency"])["baseline"] == ["-"]
    assert "CPU latency: not measured." in notes(results, columns=["latency"])


def test_decimals_are_as_many_as_asked_for(small_results: Path) -> None:
    decimals = ["accuracy=1", "difference=0", "params=0", "macs=4", "sd=3", "interval=1", "mean=0"]
    mean, sd, both, interval, _, difference, params, macs, latency = body(
        small_results, columns=ALL, decimals=[*decimals, "latency_cpu=1"]
    )["attention=none"]
    values = of_records(small_results)["attention=none"]
    middle, spread = statistics.mean(values), statistics.stdev(values)
    assert (mean, sd) == (f"{middle:.0f}", f"{spread:.3f}")
    assert both == f"{middle:.1f} \u00b1 {spread:.1f}"
    assert [len(bound.split(".")[1]) for bound in interval.strip("[]").split(", ")] == [1, 1]
    assert "." not in difference
    assert (params, macs, latency) == ("29", "2.8324", "0.7")


CHECK = "\u2713"


def test_a_check_mark_stands_where_a_component_is_on(small_results: Path) -> None:
    assert header(small_results, columns=["components"]) == ["attention", "conv5"]
    assert body(small_results, columns=["components"]) == {
        "baseline": ["self_attention", CHECK],
        "conv5=off": ["self_attention", "-"],
        "attention=none": ["-", CHECK],
        "attention=none,conv5=off": ["-", "-"],
        "attention=eca": ["eca", CHECK],
        "attention=eca,conv5=off": ["eca", "-"],
    }


def without_eca(manifest: dict[str, Any]) -> None:
    manifest["experiment"]["factors"]["attention"]["levels"] = ["self_attention", "none"]
    manifest["variants"] = manifest["variants"][:4]


def test_what_has_but_one_level_beside_none_is_a_component_and_a_note_names_it(results: Path) -> None:
    assert "A check mark" not in notes(results)
    edit_manifest(results, without_eca)
    assert [row[0] for row in body(results, columns=["attention"]).values()] == [CHECK, CHECK, "-", "-"]
    assert "A check mark under attention is self_attention." in notes(results)
    renamed = notes(results, labels=["attention=Attn"])
    assert "A check mark under Attn is self_attention." in renamed


def test_a_factor_that_does_not_apply_says_so(results: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["experiment"]["factors"]["branches.conv5.kernel"] = {"levels": [5, 7], "when": {}}
        for variant in manifest["variants"]:
            if variant["factors"]["branches.conv5"] == "on":
                variant["factors"]["branches.conv5.kernel"] = "5"

    edit_manifest(results, edit)
    table = body(results, columns=["branches.conv5.kernel"])
    assert (table["baseline"], table["conv5=off"]) == (["5"], ["n/a"])


def test_a_list_of_variants_shows_what_it_leaves_alone_as_the_baseline_has_it(results: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["experiment"] |= {"factors": {}, "design": "list"}
        changes = [
            {},
            {"branches.conv5": "off"},
            {"attention": "none"},
            {"attention.reduction": "4"},
            {"train.lr": "0.1", "branches.conv5.kernel": "7"},
            {"depth": "2+2"},
        ]
        for variant, factors in zip(manifest["variants"], changes, strict=True):
            variant["factors"] = factors

    edit_manifest(results, edit)
    titles = ["conv5", "attention", "reduction", "lr", "kernel", "depth"]
    assert header(results, columns=["components"]) == titles
    rows = list(body(results, columns=["components"]).values())
    unchanged = [CHECK, CHECK, "default", "0.002", "5", "1+1+1"]
    assert rows == [
        unchanged,
        ["-", *unchanged[1:4], "n/a", unchanged[5]],
        [CHECK, "-", "n/a", *unchanged[3:]],
        [CHECK, CHECK, "4", *unchanged[3:]],
        [CHECK, CHECK, "default", "0.1", "7", "1+1+1"],
        [*unchanged[:5], "2+2"],
    ]


def test_seeds_without_a_result_are_counted_and_never_filled_in(small_results: Path) -> None:
    assert (
        "Seeds that succeeded, where not all did: conv5=off 2 of 3 (1 diverged); attention=none,conv5=off "
        "2 of 3 (1 missing); attention=eca,conv5=off 2 of 3 (1 failed). Mean and sd are of those alone; "
        "nothing is filled in."
    ) in notes(small_results, columns=["params"])
    assert "Seeds that succeeded" not in notes(small_results, rows=["baseline", "attention=none"])


def keep(results: Path, wanted: Callable[[Record], bool]) -> None:
    failed = {"status": "failed", "reason": "x", "measures": {}}
    records = read_records(results)
    write_records(results / "records.jsonl", [r if wanted(r) else replace(r, **failed) for r in records])


def test_a_variant_without_any_result_has_no_number(results: Path) -> None:
    keep(results, lambda record: record.variant != "attention=eca")
    row = body(results, columns=ALL[:-3])["attention=eca"]
    assert row == ["-", "-", "-", "-", "0/3", "-"]
    assert "attention=eca 0 of 3 (3 failed)" in notes(results)


def _plan_one_seed(manifest: dict[str, Any]) -> None:
    manifest["experiment"]["seeds"] = [0]
    manifest["cells"] = [cell for cell in manifest["cells"] if cell["seed"] == 0]


def test_one_value_has_neither_deviation_nor_interval(results: Path) -> None:
    keep(results, lambda record: record.seed == 0)
    value = of_records(results)["baseline"][0]
    shown = f"{value:.2f}"
    assert body(results, columns=ALL[:-3])["baseline"] == [shown, "-", shown, "-", "1/3", "baseline"]
    assert header(results, columns=["accuracy"]) == ["accuracy, %"]
    edit_manifest(results, _plan_one_seed)
    assert "of one seed: there is no sd and no interval" in notes(results)
    assert "[" not in body(results, columns=["difference"])["attention=none"][0]


def test_nothing_at_all_is_a_table_without_numbers(results: Path) -> None:
    keep(results, lambda _: False)
    assert body(results, columns=ALL[:-3])["baseline"] == ["-", "-", "-", "-", "0/3", "baseline"]
    assert "there is nothing to compare" in notes(results, columns=["difference"])
    assert "Accuracy on the test set" not in notes(results)


def test_a_count_that_is_incomplete_or_not_confirmed_is_noted(results: Path) -> None:
    profile = json.loads((results / "profile.json").read_text())
    profile["variants"]["baseline"]["macs_status"] = "exact by two counters"
    (results / "profile.json").write_text(json.dumps(profile))
    told = notes(results, columns=["macs"])
    assert "baseline: MACs (exact by two counters)." in told
    assert "conv5=off: no count of MACs (incomplete: aten::adaptive_avg_pool1d is not counted)." in told
    assert "no count" not in notes(results, columns=["params"])


def test_results_of_several_environments_are_refused_unless_asked_for(results: Path) -> None:
    records = read_records(results)
    mixed = replace(records[0], provenance={**records[0].provenance, "torch": "9.9"})
    write_records(results / "records.jsonl", [mixed, *records[1:]])
    with pytest.raises(MixedResultsError, match="version of torch"):
        body(results)
    assert "Not all results have the same version of torch (9.9: 1 record, 2.14.1: 14 records)" in notes(
        results, allow_mixed=True
    )


def test_rows_from_elsewhere_have_what_their_file_states_and_nothing_else(
    small_results: Path, others: Path
) -> None:
    table = body(small_results, columns=["components", *ALL], external=others)
    assert list(table)[6:] == ["from others.csv:", "resnet18", "tiny,[sic]"]
    # under our own units, K and M: 11.69 millions and 1.82e9
    assert table["resnet18"] == ["-", "-", "71.51", "-", "71.51", *["-"] * 3, "11,700", "1,820", "-", "-"]
    assert table["tiny,[sic]"] == ["-", "-", "60.00", "-", "60.00", *["-"] * 3, "20.0", "-", "-", "12.5"]
    assert "Rows from others.csv: as stated there, neither trained nor measured here" in notes(
        small_results, external=others
    )


def test_a_stated_latency_never_stands_in_a_column_of_ours(small_results: Path, others: Path) -> None:
    assert header(small_results, columns=["latency"], external=others)[-1] == "latency elsewhere, ms"
    rows = fields(small_results, columns=["latency"], external=others)
    assert [bool(row["latency_cpu_ms"]) for row in rows] == [True] * 6 + [False] * 2
    assert [row["latency_elsewhere_ms"] for row in rows] == [""] * 7 + ["12.5"]


def test_a_csv_file_has_a_column_a_number(small_results: Path, others: Path) -> None:
    asked = {"columns": ["accuracy", "difference", "n", "params", "conv5"], "external": others}
    rows = fields(small_results, **asked)
    difference = [f"difference_{part}pp" for part in ("", "low_", "high_")]
    counts = ["n", "n_planned", "params"]
    accuracy = ["accuracy_percent", "accuracy_sd_pp"]
    assert list(rows[0]) == ["variant", *accuracy, *difference, *counts, "branches.conv5", "source"]
    table = body(small_results, **asked)
    del table["from others.csv:"]
    for row, shown in zip(rows, table.values(), strict=True):
        parts = [row["accuracy_percent"], row["accuracy_sd_pp"]]
        assert " \u00b1 ".join(part for part in parts if part) == shown[0]
    assert (rows[0]["difference_pp"], rows[1]["n"], rows[1]["n_planned"]) == ("", "2", "3")
    assert [row["branches.conv5"] for row in rows[:2]] == ["on", "off"]
    stated = [str(round(reference.params or 0)) for reference in read_references(others)]
    assert [row["params"] for row in rows[6:]] == stated == ["11690000", "20000"]
    assert [row["source"] for row in rows] == [""] * 6 + ["others.csv"] * 2

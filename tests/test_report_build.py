"""The report as a whole: word for word, byte for byte, and true to its inputs."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from msanet_bench.records import read_records, write_records
from msanet_bench.report.build import build_report, differing_files, pdf_files, report_files, write_report
from msanet_bench.report.inputs import read_inputs
from report_text import edit_manifest, edit_table, plain, report, rows, section, tables

WRITE = """
import sys
from pathlib import Path
from msanet_bench.report.build import build_report, write_report
write_report(build_report(Path(sys.argv[1])), Path(sys.argv[2]))
"""


@pytest.fixture
def results(small_results: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "small")
    return tmp_path / "small"


def keep_seed(results: Path, seed: int) -> None:
    write_records(results / "records.jsonl", [r for r in read_records(results) if r.seed == seed])
    edit_manifest(results, lambda manifest: manifest["experiment"].update(seeds=[seed]))


def test_the_report_is_the_golden_one(
    small_results: Path, check_golden: Callable[[Path, Mapping[str, str]], None]
) -> None:
    check_golden(small_results.parent / "small_report", report_files(build_report(small_results)))


def test_the_written_files_are_the_returned_ones(small_results: Path, tmp_path: Path) -> None:
    paths = write_report(build_report(small_results), tmp_path / "out")
    assert paths[0] == tmp_path / "out" / "report.md"
    assert set(paths) == {path for path in (tmp_path / "out").rglob("*") if path.is_file()}


def test_pdf_figures_are_written_on_request_and_never_checked(small_results: Path, tmp_path: Path) -> None:
    written = write_report(build_report(small_results), tmp_path / "a", pdf=True)
    assert set(written) == {path for path in (tmp_path / "a").rglob("*") if path.is_file()}
    pdf = {path.with_suffix("") for path in written if path.suffix == ".pdf"}
    assert pdf == {path.with_suffix("") for path in written if path.suffix == ".svg"}
    for path in (tmp_path / "a").rglob("*.pdf"):
        path.write_bytes(b"something else")
    assert differing_files(build_report(small_results), tmp_path / "a") == []


def test_pdf_figures_have_equal_bytes(small_results: Path) -> None:
    first, second = (pdf_files(build_report(small_results)) for _ in range(2))
    assert first == second
    assert all(content.startswith(b"%PDF-") for content in first.values())


def test_a_report_that_is_up_to_date_has_no_differing_file(small_results: Path, tmp_path: Path) -> None:
    write_report(build_report(small_results), tmp_path)
    assert differing_files(build_report(small_results), tmp_path) == []


def test_changed_and_missing_files_of_a_report_are_found(small_results: Path, tmp_path: Path) -> None:
    write_report(build_report(small_results), tmp_path)
    (tmp_path / "report.md").write_text("something else")
    (tmp_path / "tables" / "effects.csv").unlink()
    assert differing_files(build_report(small_results), tmp_path) == [
        tmp_path / "report.md",
        tmp_path / "tables" / "effects.csv",
    ]


def test_every_variant_has_a_row_in_declared_order(small_results: Path) -> None:
    table = rows(section(report(small_results), "Variants"))
    planned = [variant.name for variant in read_inputs(small_results).manifest.variants]
    assert [plain(row[1]) for row in table] == planned
    assert [row[0] for row in table] == [str(number) for number in range(1, len(planned) + 1)]


def test_the_counts_of_cells_add_up(small_results: Path) -> None:
    line = next(line for line in report(small_results).splitlines() if "cells:" in line)
    variants, seeds, cells, *outcomes = map(int, re.findall(r"\d+", line))
    assert variants * seeds == cells == sum(outcomes)


def test_accuracies_of_the_table_are_those_of_the_records(small_results: Path) -> None:
    records = read_records(small_results)
    for row in rows(section(report(small_results), "Variants")):
        values = [
            record.measures["accuracy"].value
            for record in records
            if record.variant == plain(row[1]) and record.status == "ok"
        ]
        assert float(row[2].split()[0]) == pytest.approx(100 * sum(values) / len(values), abs=0.00501)
        assert row[4] == f"{len(values)}/3"
        assert ("(n=2)" in row[2]) == (len(values) == 2)


def test_the_exported_tables_agree_with_the_printed_ones(small_results: Path) -> None:
    files = report_files(build_report(small_results))
    exported = list(csv.DictReader(io.StringIO(files["tables/variants.csv"])))
    accuracies, costs = tables(section(files["report.md"], "Variants"))
    for row, shown, cost in zip(exported, accuracies, costs, strict=True):
        assert 100 * float(row["accuracy_mean"]) == pytest.approx(float(shown[2].split()[0]), abs=0.00501)
        assert row["params"] == cost[3].replace(",", "")


def test_every_cell_without_a_result_is_listed(small_results: Path) -> None:
    failures = rows(section(report(small_results), "Failures"))
    assert [(plain(row[0]), row[1], row[2]) for row in failures] == [
        ("branches.conv5=off", "2", "diverged"),
        ("attention=none,branches.conv5=off", "1", "missing"),
        ("attention=eca,branches.conv5=off", "0", "failed"),
    ]


def test_figures_and_tables_that_are_named_are_written(small_results: Path) -> None:
    files = report_files(build_report(small_results))
    named = set(re.findall(r"\]\(((?:figures|tables)/[^)]+)\)", files["report.md"]))
    assert named == set(files) - {"report.md", "report.json"}


def test_a_number_of_the_cpu_never_stands_in_a_cuda_column(small_results: Path) -> None:
    header = next(line for line in report(small_results).splitlines() if "CUDA latency" in line)
    column = [title.strip() for title in header.split("|")[1:-1]].index(
        "CUDA latency, ms: not measured (no CUDA device)"
    )
    costs = tables(section(report(small_results), "Variants"))[1]
    assert {row[column] for row in costs} == {"-"}


def test_numbers_of_a_cuda_row_that_is_not_ok_are_not_shown(results: Path) -> None:
    edit_table(results / "latency.csv", lambda row: row["device"] == "cuda", latency_s="9.9", p50_s="9.9")
    assert "9,900" not in report(results)
    edit_table(results / "latency.csv", lambda row: row["device"] == "cuda", status="ok")
    assert "9,900" in report(results)


def test_a_cuda_device_that_was_measured_has_its_numbers(results: Path) -> None:
    for file in ("latency.csv", "latency_sessions.csv"):
        edit_table(results / file, lambda row: row["device"] == "cpu", device="cuda:0")
    files = report_files(build_report(results))
    assert "CUDA latency, ms (batch 1)" in files["report.md"]
    assert "CPU latency, ms: not measured" in files["report.md"]
    assert "figures/accuracy_latency_cuda.svg" in files
    assert "figures/accuracy_latency_cpu.svg" not in files


def test_one_seed_has_no_interval_and_says_so(results: Path) -> None:
    keep_seed(results, 2)
    text = report(results)
    assert "from one seed, so without an interval" in text
    assert "differences stand without intervals" in text
    effects = tables(section(text, "Effects"))[0]
    assert {tuple(row[5:]) for row in effects} == {("-",) * 5}


def test_three_seeds_do_have_intervals(small_results: Path) -> None:
    assert re.search(r"\[[+-]?\d+\.\d+, [+-]?\d+\.\d+\]", section(report(small_results), "Effects"))


def test_a_sweep_without_any_result_still_has_a_report(results: Path) -> None:
    failed = [replace(r, status="failed", reason="x", measures={}) for r in read_records(results)]
    write_records(results / "records.jsonl", failed)
    text = report(results)
    assert "0 ok, 17 failed, 1 missing" in text
    assert "nothing can be compared" in text


def test_without_latency_profile_and_factors_the_rest_is_reported(results: Path) -> None:
    (results / "latency.csv").unlink()
    (results / "profile.json").unlink()
    edit_manifest(results, lambda manifest: manifest["experiment"].update(factors={}, design="list"))
    files = report_files(build_report(results))
    assert "## Effects" not in files["report.md"]
    assert "Latency on CPU: not measured." in files["report.md"]
    assert "figures/differences.svg" in files


def test_a_count_that_no_formula_confirms_is_marked(results: Path) -> None:
    status = "exact by two counters: no formula for lab.Gate"
    profile = json.loads((results / "profile.json").read_text())
    profile["variants"]["baseline"]["macs_status"] = status
    (results / "profile.json").write_text(json.dumps(profile))
    assert f"- `baseline`: MACs {status}.\n" in section(report(results), "Variants")


def test_what_ran_without_failures_has_no_section_of_failures(results: Path) -> None:
    edit_manifest(results, lambda manifest: manifest.update(variants=manifest["variants"][:1]))
    records = [record for record in read_records(results) if record.variant == "baseline"]
    write_records(results / "records.jsonl", records)
    assert "## Failures" not in report(results)


@pytest.mark.parametrize(
    "changes",
    [
        {
            "PYTHONHASHSEED": "1",
            "TZ": "Asia/Tokyo",
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        },
        {"PYTHONHASHSEED": "2", "TZ": "America/Lima", "LC_ALL": "C.UTF-8"},
    ],
)
def test_hash_seed_time_zone_locale_place_and_matplotlibrc_change_no_byte(
    small_results: Path, tmp_path: Path, changes: dict[str, str]
) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 23\nsvg.fonttype: path\n")
    environment = {**os.environ, **changes, "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")}
    out = tmp_path / "out"
    command = [sys.executable, "-c", WRITE, str(small_results.resolve()), str(out)]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)
    written = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    expected = report_files(build_report(small_results))
    assert written == {name: text.encode() for name, text in expected.items()}


HEAVY = ("torch", "optuna", "pandas", "scipy.stats", "matplotlib", "matplotlib.pyplot")


def loaded(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(re.findall(r"'([\w.]+)'", done.stdout))


def test_the_report_loads_no_torch_and_no_optuna() -> None:
    assert loaded("from msanet_bench.report import write_report") == {"matplotlib"}


def test_a_table_of_results_loads_pandas_alone() -> None:
    assert loaded("import msanet_bench.report.tables") == {"pandas"}


def test_a_heavy_import_would_be_seen() -> None:
    assert "pandas" in loaded("import msanet_bench.report.build, pandas")

"""The sweeps that this repository publishes: whole, and told on its pages as they came out."""

import json
import shutil
from pathlib import Path

import pytest

from commands import run_verb
from experiments import PUBLISHED, ROOT
from msanet_bench.checks import catalog, load_experiment
from msanet_bench.plan import enumerate_variants, plan_cells
from msanet_bench.records import Record, read_records

PLANNED = [*(name for name in PUBLISHED if name != "search"), "fashion_mnist_pilot"]


def planned_and_published(results: Path) -> tuple[dict[tuple[str, int], str], dict[tuple[str, int], Record]]:
    """Keys of the cells that today's code plans for a committed sweep, and its records."""
    experiment = load_experiment(ROOT / "experiments" / f"{results.name}.yaml")
    data_digest = json.loads((results / "manifest.json").read_text(encoding="utf-8"))["data_digest"]
    variants = enumerate_variants(experiment, catalog())
    cells = plan_cells(variants, experiment.seeds, catalog(), lambda _: data_digest)
    records = read_records(results)
    return (
        {(cell.variant.name, cell.seed): cell.key for cell in cells},
        {(record.variant, record.seed): record for record in records},
    )


@pytest.mark.parametrize("name", PLANNED)
def test_every_planned_cell_is_there_under_the_key_that_it_was_published_with(name: str) -> None:
    planned, records = planned_and_published(ROOT / "results" / name)
    assert {cell: record.key for cell, record in records.items()} == planned
    assert {record.status for record in records.values()} == {"ok"}


def test_a_missing_cell_is_noticed(tmp_path: Path) -> None:
    results = tmp_path / "dilation"
    shutil.copytree(ROOT / "results" / "dilation", results)
    lines = (results / "records.jsonl").read_bytes().splitlines(keepends=True)
    (results / "records.jsonl").write_bytes(b"".join(lines[:-1]))
    planned, records = planned_and_published(results)
    assert len(planned) == len(records) + 1


def test_operations_of_the_published_ablation_are_counted_alike_by_three_sources() -> None:
    profile = json.loads((ROOT / "results" / "fashion_mnist" / "profile.json").read_text(encoding="utf-8"))
    assert {costs["macs_status"] for costs in profile["variants"].values()} == {"exact"}
    assert len(profile["variants"]) == 64


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_a_page_says_of_a_sweep_is_what_it_gives(name: str, request: pytest.FixtureRequest) -> None:
    command = ["report", f"results/{name}", "--inject", PUBLISHED[name]]
    if request.config.getoption("--update-golden"):
        assert run_verb(*command, cwd=ROOT).code == 0
    checked = run_verb(*command, "--check", cwd=ROOT)
    assert checked.code == 0, checked.out


def test_a_changed_number_of_the_page_is_noticed(tmp_path: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert page.count("+1,036,800") > 0
    (tmp_path / "README.md").write_text(page.replace("+1,036,800", "+1,036,801"), encoding="utf-8")
    command = ["report", "results/fashion_mnist", "--inject", str(tmp_path / "README.md"), "--check"]
    assert run_verb(*command, cwd=ROOT).code == 1


def test_no_accuracy_is_published_as_if_it_were_known_exactly() -> None:
    """MobileNetV3-Small is right for 36 of 360 images with each seed, which is known to half an image."""
    report = json.loads((ROOT / "reports" / "families" / "report.json").read_text(encoding="utf-8"))
    stuck = next(row for row in report["variants"] if row["name"] == "model=mobilenet_v3_small")
    assert stuck["values"] == [0.1, 0.1, 0.1]
    assert stuck["accuracy"]["low"] < 0.1 < stuck["accuracy"]["high"]

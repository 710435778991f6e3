import base64
import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from experiments import write_experiment
from msanet_bench.amendments import History
from msanet_bench.checks import CheckedPlan, catalog, check_plan, load_experiment
from msanet_bench.data import load
from msanet_bench.exports import export_records, write_manifest
from msanet_bench.journal import Attempt
from msanet_bench.plan import Cell, plan_cells
from msanet_bench.records import Record, Status, read_records
from msanet_bench.spec import Experiment

DATA = Path(__file__).parent / "data"


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return load_experiment(write_experiment(tmp_path))


@pytest.fixture
def plan(experiment: Experiment, tmp_path: Path) -> CheckedPlan:
    return check_plan(experiment, tmp_path)


@pytest.fixture
def cells(experiment: Experiment, plan: CheckedPlan) -> list[Cell]:
    return plan_cells(plan.variants, experiment.seeds, catalog(), plan.data_digest)


def _attempt(cell: Cell, status: Status, seconds: float) -> Attempt:
    record = Record(
        cell.key,
        cell.variant.name,
        cell.variant.factors,
        cell.seed,
        0,
        status,
        "" if status == "ok" else "why",
    )
    return Attempt(record, 0.0, seconds, None, None, "cpu", "host")


def test_the_manifest_tells_the_whole_plan_before_a_cell_has_run(
    experiment: Experiment, plan: CheckedPlan, cells: list[Cell], tmp_path: Path
) -> None:
    write_manifest(tmp_path, experiment, plan, cells, History(looks=((0, 1),)), threads=1)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert [variant["name"] for variant in manifest["variants"]] == [
        "baseline",
        "attention=none",
        "attention=se",
    ]
    assert len(manifest["cells"]) == 6
    assert manifest["looks"] == [[0, 1]]
    assert manifest["experiment"]["delta"] == "5 pp"
    assert Experiment.model_validate_json(json.dumps(manifest["experiment"])) == experiment
    labels = np.frombuffer(base64.b64decode(manifest["test_labels"]), dtype="<u2")
    assert labels.tolist() == load(experiment.data, tmp_path).test_labels.tolist()


def test_tables_stand_in_plan_order_whatever_the_order_of_the_journal(
    cells: list[Cell], tmp_path: Path
) -> None:
    attempts = [_attempt(cell, "ok", 1.0) for cell in reversed(cells[1:])]
    export_records(tmp_path, cells, attempts)
    assert [record.key for record in read_records(tmp_path)] == [cell.key for cell in cells[1:]]
    with (tmp_path / "results.csv").open(encoding="utf-8") as lines:
        assert [row["key"] for row in csv.DictReader(lines)] == [cell.key for cell in cells[1:]]


def test_a_retried_cell_stands_with_its_good_attempt_and_the_time_of_that(
    cells: list[Cell], tmp_path: Path
) -> None:
    (cell, *_) = cells
    attempts = [_attempt(cell, "failed", 1.0), _attempt(cell, "ok", 2.0), _attempt(cell, "failed", 3.0)]
    export_records(tmp_path, [cell], attempts)
    assert [record.status for record in read_records(tmp_path)] == ["ok"]
    assert "2.000" in (tmp_path / "timings.csv").read_text(encoding="utf-8")


def test_the_manifest_is_on_the_disk_when_it_is_written(
    experiment: Experiment, plan: CheckedPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    write_manifest(tmp_path, experiment, plan, [], History(), threads=1)
    assert synced == [".manifest.json.new", tmp_path.name]

import base64
import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments import write_experiment
from msanet_bench.checks import CheckedPlan, catalog, check_plan, load_experiment
from msanet_bench.data import load
from msanet_bench.exports import export_records, write_manifest
from msanet_bench.journal import Attempt
from msanet_bench.plan import Cell, plan_cells
from msanet_bench.records import Record, Status, read_records
from msanet_bench.report.manifest import read_manifest
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
    write_manifest(tmp_path, experiment, plan, cells, threads=1)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert [variant["name"] for variant in manifest["variants"]] == [
        "baseline",
        "attention=none",
        "attention=se",
    ]
    assert len(manifest["cells"]) == 6
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


def _look(
    experiment: Experiment, plan: CheckedPlan, results: Path, seeds: tuple[int, ...]
) -> list[list[int]]:
    """The looks that stand in the manifest once these seeds are planned."""
    planned = experiment.model_copy(update={"seeds": seeds})
    write_manifest(results, planned, plan, [], threads=1)
    looks: list[list[int]] = json.loads((results / "manifest.json").read_text(encoding="utf-8"))["looks"]
    return looks


def _finish(cells: list[Cell], results: Path) -> None:
    export_records(results, cells, [_attempt(cell, "ok", 1.0) for cell in cells])


def test_a_first_sweep_and_the_same_seeds_again_are_one_look(
    experiment: Experiment, plan: CheckedPlan, cells: list[Cell], tmp_path: Path
) -> None:
    assert _look(experiment, plan, tmp_path, (0, 1)) == [[0, 1]]
    _finish(cells, tmp_path)
    assert _look(experiment, plan, tmp_path, (0, 1)) == [[0, 1]]


def test_seeds_that_are_added_after_results_are_a_look_each_time(
    experiment: Experiment, plan: CheckedPlan, cells: list[Cell], tmp_path: Path
) -> None:
    _look(experiment, plan, tmp_path, (0, 1))
    _finish(cells, tmp_path)
    assert _look(experiment, plan, tmp_path, (0, 1, 2)) == [[0, 1], [0, 1, 2]]
    assert _look(experiment, plan, tmp_path, (0, 1, 2)) == [[0, 1], [0, 1, 2]]
    assert _look(experiment, plan, tmp_path, (0, 1, 2, 3)) == [[0, 1], [0, 1, 2], [0, 1, 2, 3]]


@pytest.mark.parametrize("empty", [True, False])
def test_a_plan_that_changes_before_there_is_a_result_is_no_look(
    experiment: Experiment,
    plan: CheckedPlan,
    tmp_path: Path,
    empty: bool,  # noqa: FBT001
) -> None:
    _look(experiment, plan, tmp_path, (0, 1))
    if empty:
        export_records(tmp_path, [], [])
    assert _look(experiment, plan, tmp_path, (0, 1, 2)) == [[0, 1, 2]]


def test_a_manifest_of_version_1_had_one_look(
    experiment: Experiment, plan: CheckedPlan, cells: list[Cell], tmp_path: Path
) -> None:
    shutil.copy(DATA / "manifest_v1.json", tmp_path / "manifest.json")
    assert "looks" not in json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert read_manifest(tmp_path).looks == ((0, 1, 2),)
    _finish(cells, tmp_path)
    assert _look(experiment, plan, tmp_path, (0, 1, 2, 3)) == [[0, 1, 2], [0, 1, 2, 3]]

"""Equal tuning with real cells: the test images are left alone, and a kill changes no byte."""

import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from experiments import write_experiment
from msanet_bench.cell import Job, run, run_cell
from msanet_bench.checks import catalog, check_plan, load_experiment
from msanet_bench.journal import Journal
from msanet_bench.plan import plan_cells
from sweeps import sweep, trained
from torture import Strike, Sweeps
from tuning import TUNED

REAL = TUNED.replace("trials: 8", "trials: 3").replace("[self_attention, none, se]", "[self_attention, none]")
SAME = ("records.jsonl", "untuned.jsonl", "manifest.json", "results.csv")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    sweep(write_experiment(folder, REAL), folder / "results")
    return folder


def job(folder: Path, checkpoint: str) -> Job:
    """The baseline's cell of seed 1000, trained for six epochs."""
    text = REAL.replace("epochs: 2", f"epochs: 6, checkpoint: {checkpoint}").replace("lr: 1e-3", "lr: 3e-2")
    experiment = load_experiment(write_experiment(folder, text))
    plan = check_plan(experiment, folder)
    first = plan_cells(plan.variants, [1000], catalog(), plan.data_digest)[0]
    return Job(
        key=first.key,
        variant=first.variant.name,
        factors={},
        settings=first.variant.settings,
        seed=1000,
        data_digest=plan.data_digest(experiment.data),
        code="",
        costs={},
        data_root=folder,
        plugins=(),
        plugin_folder=folder,
        device="cpu",
        threads=1,
    )


def refuse(*_: object) -> NoReturn:
    raise AssertionError("the test images were looked at")


@pytest.mark.parametrize("checkpoint", ["last", "best_val"])
def test_a_tuning_cell_never_sees_the_test_images_and_is_judged_by_the_epoch_that_would_be_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: str
) -> None:
    wanted = job(tmp_path, checkpoint)
    tested = run_cell(wanted).record
    monkeypatch.setattr(run, "evaluate", refuse)
    record = run_cell(replace(wanted, is_tested=False)).record
    assert (record.status, list(record.measures), record.correct, record.test_images) == (
        "ok",
        ["validation_accuracy"],
        "",
        0,
    )
    assert record.curve == tested.curve
    accuracies = [epoch["validation_accuracy"] for epoch in record.curve]
    assert record.measures["validation_accuracy"].value == (
        accuracies[-1] if checkpoint == "last" else accuracies[tested.provenance["chosen_epoch"] - 1]
    )
    # and the guard is one: a cell that is tested does look at them
    assert run_cell(wanted).record.reason == "AssertionError: the test images were looked at"


def test_the_journal_knows_no_test_accuracy_of_what_tuned(quiet: Path) -> None:
    attempts = Journal(quiet / "results" / "journal.jsonl").read()
    tuning = [attempt.record for attempt in attempts if attempt.record.seed == 1000]
    assert len(tuning) == 6
    assert all(list(record.measures) == ["validation_accuracy"] for record in tuning)


@pytest.mark.parametrize("lines", [2, 7])
def test_a_sweep_that_is_killed_while_or_after_it_tunes_ends_with_the_same_bytes(
    quiet: Path, tmp_path: Path, serving: subprocess.Popen[str], lines: int
) -> None:
    path, journal = write_experiment(tmp_path, REAL), tmp_path / "results" / "journal.jsonl"
    sweeps = Sweeps(tmp_path, serving, options=("--results", "results"))
    assert sweeps.end(sweeps.begin(Strike("after append", number=lines))) == -signal.SIGKILL, sweeps.output
    before = journal.read_text().count("\n")
    events = sweep(path, tmp_path / "results")
    for name in SAME:
        assert (tmp_path / "results" / name).read_bytes() == (quiet / "results" / name).read_bytes(), name
    all_lines = (quiet / "results" / "journal.jsonl").read_text().count("\n")
    assert len(trained(events)) == all_lines - before

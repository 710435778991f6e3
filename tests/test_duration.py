"""How long a sweep will take, against blocks whose steps take a planted time, and sums worked out by hand."""

import dataclasses
import shutil
import socket
from pathlib import Path

import pytest

from experiments import write_experiment
from msanet_bench.cell import Job
from msanet_bench.checks import catalog, check_plan, load_experiment
from msanet_bench.console.prediction import prediction_text
from msanet_bench.duration.predict import Prediction, predict_duration
from msanet_bench.duration.probe import Timed, first_step, time_parts
from msanet_bench.duration.schedule import CellCost, makespan, session_seconds
from msanet_bench.duration.workers import Wanted
from msanet_bench.journal import Attempt
from msanet_bench.plan import Cell, plan_cells
from msanet_bench.records import Record
from msanet_bench.session.rules import RULES
from msanet_bench.spec import MeasureSpec

PLANTED = Path(__file__).parent / "planted.py"
STEP_SECONDS = 0.3  # of `planted_sleep`


def _wanted(folder: Path, blocks: str, **changes: object) -> Wanted:
    """A plan of the tiny experiment with planted blocks: two epochs of 48 images, by 16: 6 steps."""
    shutil.copy(PLANTED, folder)
    text = write_experiment(folder).read_text().replace("[self_attention, none, se]", f"[{blocks}]")
    path = write_experiment(folder, text + "plugins: [planted.py]\n", measure="measure: {latency_rounds: 0}")
    experiment = load_experiment(path)
    plan = check_plan(experiment, folder)
    wanted = Wanted(
        experiment=experiment,
        plan=plan,
        missing=plan_cells(plan.variants, experiment.seeds, catalog(), plan.data_digest),
        finished=(),
        device="cpu",
        slots=[{}, {}],
        data_root=folder,
        plugin_folder=folder,
        is_measured=True,
        planning_seconds=0.0,
    )
    return dataclasses.replace(wanted, **changes)  # type: ignore[arg-type]


def _job(wanted: Wanted, block: str) -> Job:
    cell = _cells(wanted, block)[0]
    return Job(
        key=cell.key,
        variant=cell.variant.name,
        factors=cell.variant.factors,
        settings=cell.variant.settings,
        seed=cell.seed,
        data_digest=wanted.plan.data_digest(cell.variant.settings.data),
        code="",
        costs={},
        data_root=wanted.data_root,
        plugins=wanted.experiment.plugins,
        plugin_folder=wanted.plugin_folder,
        device="cpu",
        threads=1,
    )


def _cells(wanted: Wanted, block: str) -> list[Cell]:
    return [cell for cell in wanted.missing if cell.variant.name == f"attention={block}"]


def test_a_step_of_planted_length_is_timed_and_a_cell_is_the_sum_of_its_parts(tmp_path: Path) -> None:
    job = _job(_wanted(tmp_path, "none, planted_sleep"), "planted_sleep")
    parts = time_parts(job, [1, 4])
    assert isinstance(parts, Timed), parts
    assert STEP_SECONDS <= parts.step < STEP_SECONDS + 0.2
    assert (parts.train_images, parts.validation_images, parts.test_images) == (48, 0, 24)
    assert parts.steps == 5
    # the block only sleeps in training
    assert parts.evaluate < STEP_SECONDS / 16
    assert set(parts.calls) == {"cpu"}
    assert all(0 < seconds < STEP_SECONDS for seconds in parts.calls["cpu"].values())
    assert 6 * STEP_SECONDS <= parts.cell_seconds(epochs=2, batch_size=16) < 6 * (STEP_SECONDS + 0.2) + 1


def test_the_parts_of_a_cell_add_up() -> None:
    parts = Timed(
        load=100, prepare=50, build=1, step=2, steps=5, evaluate=0.1,
        train_images=40, validation_images=10, test_images=30,
    )  # fmt: skip
    # 3 epochs of 5 steps and 10 validation images, then 30 test images
    assert parts.cell_seconds(epochs=3, batch_size=8) == pytest.approx(1 + 3 * (5 * 2 + 10 * 0.1) + 30 * 0.1)


def test_training_on_two_workers_is_predicted_within_the_factor(tmp_path: Path) -> None:
    wanted = _wanted(tmp_path, "none, planted_sleep")
    sleeping = _cells(wanted, "planted_sleep")
    prediction = predict_duration(dataclasses.replace(wanted, missing=sleeping * 4))
    # 8 cells of 6 steps on 2 workers
    truth = 8 * 6 * STEP_SECONDS / 2
    assert truth <= prediction.training_seconds < 1.5 * truth
    assert prediction.seconds > prediction.training_seconds
    assert (prediction.workers, prediction.steps, prediction.cells) == (2, 5, 0)
    assert prediction.failures == ()


def _attempt(cell: Cell, seconds: float, host: str, device: str = "cpu", status: str = "ok") -> Attempt:
    record = Record(
        cell.key,
        cell.variant.name,
        {},
        cell.seed,
        0,
        status,
        provenance={"device": device},  # type: ignore[arg-type]
    )
    return Attempt(record, 0.0, seconds, None, None, device, host)


def test_finished_cells_of_this_machine_speak_for_their_variant(tmp_path: Path) -> None:
    wanted = _wanted(tmp_path, "none, planted_sleep")
    first, second = _cells(wanted, "planted_sleep")
    here = socket.gethostname()
    finished = [
        *(_attempt(first, seconds, here) for seconds in (7.0, 1000.0, 9.0)),
        _attempt(first, 0.1, "elsewhere"),
        _attempt(first, 0.1, here, device="a GPU"),
        _attempt(first, 0.1, here, status="failed"),
    ]
    prediction = predict_duration(
        dataclasses.replace(wanted, missing=[second, second, second], finished=finished)
    )
    assert prediction.training_seconds == 2 * 9.0
    assert (prediction.steps, prediction.cells) == (0, 3)


def test_a_variant_whose_first_step_fails_is_named_with_its_reason(tmp_path: Path) -> None:
    wanted = _wanted(tmp_path, "planted_error, planted_memory_error, planted_crash")
    prediction = predict_duration(wanted)
    assert {failure.variant: (failure.status, failure.reason) for failure in prediction.failures} == {
        "attention=planted_error": ("failed", "RuntimeError: planted: shapes do not fit"),
        "attention=planted_memory_error": ("oom", "planted: no memory left"),
        "attention=planted_crash": ("failed", "the worker process was killed by SIGSEGV"),
    }
    assert prediction.steps > 0


def test_a_first_step_is_full_size_and_its_failure_is_told_as_a_cell_would(tmp_path: Path) -> None:
    wanted = _wanted(tmp_path, "planted_error, planted_memory_error, planted_sleep")
    good = first_step(_job(wanted, "planted_sleep"))
    assert (good.variant, good.status, good.reason) == ("attention=planted_sleep", "ok", "")
    assert STEP_SECONDS <= good.seconds < 10
    bad = [first_step(_job(wanted, f"planted_{name}")) for name in ("error", "memory_error")]
    assert [(each.status, each.reason) for each in bad] == [
        ("failed", "RuntimeError: planted: shapes do not fit"),
        ("oom", "planted: no memory left"),
    ]


def test_a_first_step_takes_a_whole_batch_or_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    sound = first_step.__globals__["take_step"]

    def take_step(stepper: object, images: object, labels: object, lr: float) -> object:
        sizes.append(len(images))  # type: ignore[arg-type]
        return sound(stepper, images, labels, lr)

    monkeypatch.setitem(first_step.__globals__, "take_step", take_step)
    job = _job(_wanted(tmp_path, "none, se"), "se")
    for batch_size in (16, 20, 100):
        train = job.settings.train.model_copy(update={"batch_size": batch_size})
        settings = job.settings.model_copy(update={"train": train})
        assert first_step(dataclasses.replace(job, settings=settings)).status == "ok"
    assert sizes == [16, 20, 48]


def test_cells_go_to_the_slot_that_is_free_first() -> None:
    assert makespan([], 2) == 0
    assert makespan([CellCost(s) for s in (3, 1, 1, 1)], 2) == 3
    assert makespan([CellCost(s) for s in (1, 1, 1, 3)], 2) == 4
    assert makespan([CellCost(s) for s in (1, 2, 3)], 1) == 6


def test_data_are_loaded_once_a_slot_and_prepared_when_the_seed_changes() -> None:
    def cells(*seeds: int, dataset: str = "a") -> list[CellCost]:
        return [CellCost(1, prepare=10, load=100, dataset=dataset, seed=seed) for seed in seeds]

    assert makespan(cells(0, 0, 1), 1) == 100 + 1 + 1 + 10 + 1
    assert makespan(cells(0, 0), 2) == 101
    assert makespan([*cells(0), *cells(0, dataset="b"), *cells(0)], 1) == 3 * 101


def test_a_session_is_the_sum_of_its_turns() -> None:
    calls = [{1: 0.001}, {1: 0.002}, {1: 0.004}]
    spec = MeasureSpec(latency_rounds=10)
    # in each round the anchor, two others and two twins; and three calls each before the one super-round
    turns = 0.001 + 0.002 + 0.004 + 0.001 + 0.004
    assert session_seconds(calls, spec, RULES["cpu"]) == pytest.approx(5 * 0.2 + turns * (10 + 3))
    assert session_seconds(calls, MeasureSpec(latency_rounds=10, latency_seconds=0.5), RULES["cpu"]) == 0.5
    twice = MeasureSpec(latency_rounds=10, latency_precisions=("fp32_strict", "amp_bf16"))
    assert session_seconds(calls, twice, RULES["cpu"]) == pytest.approx(2 * (1 + turns * 13))


@pytest.mark.parametrize(
    ("seconds", "workers", "steps", "cells", "text"),
    [
        (374.0, 2, 5, 0, "about 6.2 min with 2 workers (from 5 timed steps a variant)"),
        (14.4, 1, 0, 1, "about 14 s with 1 worker (from 1 finished cell)"),
        (9000.0, 8, 1, 12, "about 2.5 h with 8 workers (from 12 finished cells and 1 timed step a variant)"),
        (4e5, 2, 5, 0, "about 4.6 days with 2 workers (from 5 timed steps a variant)"),
    ],
)
def test_a_prediction_in_words(seconds: float, workers: int, steps: int, cells: int, text: str) -> None:
    assert prediction_text(Prediction(seconds, seconds, workers, steps, cells, ())) == text

import shutil
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from experiments import write_experiment
from jobs import job
from msanet_bench.cell import failure
from msanet_bench.duration.probe import FirstStep
from msanet_bench.events import Finished, FirstStepFailed
from msanet_bench.executors import WorkerDied
from msanet_bench.node import Answer, FirstStepOf, Task
from msanet_bench.records import Record
from msanet_bench.sweep.first_steps import take_first_steps, untried
from sweeps import sweep

PLANTED = Path(__file__).parent / "planted.py"


def record(name: str, status: str) -> Record:
    return replace(failure(job(name), "failed", ""), status=status)


def test_the_first_cell_of_each_variant_that_never_went_well_is_tried() -> None:
    jobs = [job("a"), job("b"), job("c"), replace(job("a"), seed=1), replace(job("b"), seed=1)]
    records = {"1": record("b", "ok"), "2": record("c", "oom")}
    assert [(each.variant, each.seed) for each in untried(jobs, records)] == [("a", 0), ("c", 0)]


class Half:
    """Takes first steps; those of `b` kill their process."""

    def submit(self, task: Task) -> Future[Answer]:
        assert isinstance(task, FirstStepOf)
        future: Future[Answer] = Future()
        if task.job.variant == "b":
            future.set_exception(WorkerDied("memory", "used too much"))
        else:
            future.set_result(FirstStep(task.job.variant, "ok", seconds=2.0))
        return future

    def cancel(self) -> None:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError


def test_a_step_that_kills_its_process_is_told_beside_the_others() -> None:
    steps = list(take_first_steps([job("a"), job("b"), job("c")], Half()))
    assert [(step.variant, step.status, step.reason) for step in steps] == [
        ("a", "ok", ""),
        ("b", "oom", "used too much"),
        ("c", "ok", ""),
    ]


def test_what_cannot_run_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    shutil.copy(PLANTED, tmp_path)
    text = write_experiment(tmp_path).read_text()
    text = text.replace("[self_attention, none, se]", "[none, planted_crash, planted_memory_error]")
    path = write_experiment(tmp_path, text + "plugins: [planted.py]\n", seeds="seeds: 1")
    events = sweep(path, tmp_path / "results")
    told = [event for event in events if isinstance(event, FirstStepFailed)]
    assert [(event.variant, event.status, event.reason) for event in told] == [
        ("attention=planted_crash", "failed", "the worker process was killed by SIGSEGV"),
        ("attention=planted_memory_error", "oom", "planted: no memory left"),
    ]
    first_cell = next(place for place, event in enumerate(events) if isinstance(event, Finished))
    assert all(events.index(event) < first_cell for event in told)

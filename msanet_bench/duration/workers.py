"""The first steps of every variant, timed in as many workers as a sweep would use."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

from msanet_bench.cell import THREADS_PER_WORKER, Job, start_worker
from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import ImageShape
from msanet_bench.duration.probe import FirstStep, Timed, time_parts
from msanet_bench.executors import PRELOAD, LocalExecutor, WorkerDied
from msanet_bench.journal import Attempt
from msanet_bench.plan import Cell, Variant
from msanet_bench.plugins import load_entry_points, load_plugins
from msanet_bench.profile.costs import costs_of
from msanet_bench.spec import Experiment

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What would be run, and on what.

    Attributes:
        missing: The cells that would be trained, in their order.
        finished: What is known of cells that were trained before.
        device: What a cell calls its device.
        slots: The environment of each worker.
        is_measured: Whether the latencies are there already.
        planning_seconds: What it took to come so far, which a sweep takes too.
    """

    experiment: Experiment
    plan: CheckedPlan
    missing: Sequence[Cell]
    finished: Sequence[Attempt]
    device: str
    slots: Sequence[Mapping[str, str]]
    data_root: Path
    plugin_folder: Path
    is_measured: bool
    planning_seconds: float


class Probed(NamedTuple):
    """What was found of each variant; seconds until workers work; and those of counting one network."""

    parts: Mapping[str, Timed | FirstStep]
    start: float
    count_seconds: float


def probe_variants(wanted: Wanted, cells: Sequence[Cell]) -> Probed:
    if not cells:
        return Probed({}, 0.0, 0.0)
    # filled up, so that the last ones too are timed beside others: workers take from each other
    rounds = math.ceil(len(cells) / len(wanted.slots))
    asked = [cells[place % len(cells)] for place in range(rounds * len(wanted.slots))]
    tasks = [_task(wanted, cell, counted=place < len(wanted.slots)) for place, cell in enumerate(asked)]
    began = time.perf_counter()
    executor = measuring_workers(
        _answer_task, _is_well, wanted.slots, wanted.experiment.plugins, wanted.plugin_folder
    )
    try:
        futures = [executor.submit(task) for task in tasks]
        first = _result(tasks[0], futures[0])
        start = time.perf_counter() - began - first.seconds
        answers = [_result(*asked) for asked in zip(tasks, futures, strict=True)]
    except BaseException:
        executor.cancel()
        raise
    finally:
        executor.close()
    parts = {task.job.variant: answer.parts for task, answer in reversed([*zip(tasks, answers, strict=True)])}
    counts = [answer.count_seconds for answer in answers if answer.count_seconds is not None]
    return Probed(parts, max(0.0, start), median(counts) if counts else 0.0)


def measuring_workers(
    function: Callable[[T], R],
    is_well: Callable[[R], bool],
    slots: Sequence[Mapping[str, str]],
    plugins: Sequence[str],
    plugin_folder: Path,
) -> LocalExecutor[T, R]:
    """Workers as a sweep has them, for another task."""
    return LocalExecutor(
        function,
        slots=slots,
        start=partial(_start, plugins, plugin_folder.resolve()),
        is_well=is_well,
        preload=PRELOAD,
    )


class _Task(NamedTuple):
    """A variant to time; its costs are counted too where its shape is given."""

    job: Job
    variant: Variant
    batches: tuple[int, ...]
    shape: ImageShape | None


class _Answer(NamedTuple):
    parts: Timed | FirstStep
    seconds: float
    count_seconds: float | None


def _task(wanted: Wanted, cell: Cell, *, counted: bool) -> _Task:
    variant, experiment = cell.variant, wanted.experiment
    job = Job(
        key=cell.key,
        variant=variant.name,
        factors=variant.factors,
        settings=variant.settings,
        seed=cell.seed,
        data_digest=wanted.plan.data_digest(variant.settings.data),
        code="",
        costs={},
        data_root=wanted.data_root.resolve(),
        plugins=experiment.plugins,
        plugin_folder=wanted.plugin_folder.resolve(),
        device=wanted.device,
        threads=THREADS_PER_WORKER,
    )
    batches = () if wanted.is_measured else tuple(dict.fromkeys(experiment.measure.latency_batches))
    return _Task(job, variant, batches, wanted.plan.shapes[variant.name] if counted else None)


def _start(plugins: Sequence[str], plugin_folder: Path) -> None:
    start_worker(THREADS_PER_WORKER)
    load_entry_points()
    load_plugins(plugins, plugin_folder)


def _answer_task(task: _Task) -> _Answer:
    began = time.perf_counter()
    count = None
    if task.shape is not None:
        costs_of(task.variant, task.shape)
        count = time.perf_counter() - began
    return _Answer(time_parts(task.job, task.batches), time.perf_counter() - began, count)


def _is_well(answer: _Answer) -> bool:
    return isinstance(answer.parts, Timed)


def _result(task: _Task, future: Future[_Answer]) -> _Answer:
    try:
        return future.result()
    except WorkerDied as error:
        status = FirstStep(task.job.variant, "oom" if error.kind == "memory" else "failed", str(error))
        return _Answer(status, 0.0, None)

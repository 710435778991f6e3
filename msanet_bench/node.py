"""What a worker does with a task: run a cell, or take its first step alone. A node must be fit for it."""

import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from msanet_bench.cell import Job, dataset_of, run_cell
from msanet_bench.data import Dataset, unmapped
from msanet_bench.duration.probe import FirstStep, first_step
from msanet_bench.errors import BenchError, DataError
from msanet_bench.executors import Lacking
from msanet_bench.journal import Attempt
from msanet_bench.plugins import PluginError, load_entry_points, load_plugins
from msanet_bench.source_digest import code_digest


@dataclass(frozen=True, slots=True)
class FirstStepOf:
    """A job of which one step of training is wanted."""

    job: Job


Task: TypeAlias = Job | FirstStepOf
Answer: TypeAlias = Attempt | FirstStep


def job_of(task: Task) -> Job:
    return task.job if isinstance(task, FirstStepOf) else task


def run_task(task: Task, sent: Dataset | None = None) -> Answer:
    """An attempt at a cell, or how its first step went."""
    return first_step(task.job, sent) if isinstance(task, FirstStepOf) else run_cell(task, sent)


def is_well(answer: Answer) -> bool:
    """After any other failure a process may be left in any state: an error of a CUDA device stays with it."""
    status = answer.status if isinstance(answer, FirstStep) else answer.record.status
    return status in {"ok", "diverged", "pruned"}


def run_on_node(task: Task, sent: Dataset | None) -> Answer:
    """Run a task with the data of this node, or with those that were sent here because it has none.

    Raises:
        BenchError: this node has other code than the coordinator, or lacks a plug-in: it would spoil
            every cell that it is given.
        Lacking: it has not the data of the job.
    """
    job = job_of(task)
    _require_code(job)
    if sent is None and not _has_data(job):
        raise Lacking(job.data_digest)
    return run_task(task, sent)


def data_to_send(task: Task) -> Dataset:
    """What a node is sent that lacks the data of a task; its processes share one copy."""
    return unmapped(dataset_of(job_of(task)))


def _require_code(job: Job) -> None:
    node = f"node {socket.gethostname()}"
    try:
        load_entry_points()
        load_plugins(job.plugins, job.plugin_folder)
    except PluginError as error:
        raise BenchError(f"{node}: {error} A plug-in must have the same path on every node.") from error
    here = _code_digest(job.plugins, job.plugin_folder)
    if here != job.code:
        raise BenchError(
            f"{node}: has other code of msanet_bench or of a plug-in ({here}) than the machine that runs the "
            f"sweep ({job.code}). Install the same on every node, then give the same command again."
        )


@lru_cache(maxsize=1)
def _code_digest(plugins: tuple[str, ...], plugin_folder: Path) -> str:
    """Of the code that this process has loaded: once a process, as the coordinator's is once a sweep."""
    return code_digest(plugins, plugin_folder)


def _has_data(job: Job) -> bool:
    try:
        return dataset_of(job).digest == job.data_digest
    except DataError:
        return False

"""One step of every variant before any is trained: what cannot run is known in the first minute."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import cast

from msanet_bench.cell import Job
from msanet_bench.duration.probe import FirstStep
from msanet_bench.executors import Executor, WorkerDied
from msanet_bench.node import Answer, FirstStepOf, Task
from msanet_bench.records import Record


def untried(jobs: Sequence[Job], records: Mapping[str, Record]) -> list[Job]:
    """The first job of each variant of which no cell went well so far."""
    tried = {record.variant for record in records.values() if record.status == "ok"}
    first: dict[str, Job] = {}
    for job in jobs:
        first.setdefault(job.variant, job)
    return [job for name, job in first.items() if name not in tried]


def take_first_steps(jobs: Sequence[Job], executor: Executor[Task, Answer]) -> Iterator[FirstStep]:
    """How the first step of each job went, at its full batch size; nothing of it is kept."""
    futures = [(job, executor.submit(FirstStepOf(job))) for job in jobs]
    for job, future in futures:
        yield _step(job, future)


def _step(job: Job, future: Future[Answer]) -> FirstStep:
    try:
        return cast("FirstStep", future.result())
    except WorkerDied as error:
        return FirstStep(job.variant, "oom" if error.kind == "memory" else "failed", str(error))

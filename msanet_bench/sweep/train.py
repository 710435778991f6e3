"""The loop: every slot busy, every outcome in the journal before anybody else hears of it."""

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from msanet_bench.cell import Job, failure
from msanet_bench.events import Finished, Retried, Stopped
from msanet_bench.executors import Executor, WorkerDied
from msanet_bench.journal import Attempt, Journal
from msanet_bench.node import Answer, Task
from msanet_bench.records import FINE, Status
from msanet_bench.running import RunningCell, free_slot
from msanet_bench.sweep.tries import may_pass
from msanet_bench.sweep.work import Work


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a cell is tried whose process dies, and how many cells may fail before no more are begun.

    Attributes:
        tried: How often an earlier run has tried a cell, by its key.
        fine: What is no failure.
        fits: Whether another try of a cell would end in time.
    """

    max_attempts: int = 1
    max_failures: int | None = None
    tried: Mapping[str, int] = field(default_factory=dict)
    fine: frozenset[Status] = FINE
    fits: Callable[[Job], bool] = lambda _: True


def train(
    work: Work,
    executor: Executor[Task, Answer],
    journal: Journal,
    slots: int,
    policy: Policy,
    announce: Callable[[Sequence[RunningCell]], None],
) -> Iterator[Finished | Retried | Stopped]:
    """Run all that `work` hands out and announce what runs."""
    running: dict[Future[Answer], _Running] = {}
    not_ok = 0
    while True:
        while len(running) < slots and not _too_many(not_ok, policy) and (job := work.next()) is not None:
            number = 1 + policy.tried.get(job.key, 0)
            running[executor.submit(job)] = _begun(job, running.values(), number)
        announce([ran.cell for ran in running.values()])
        if not running:
            break
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            ran = running.pop(future)
            attempt = _attempt(future, ran)
            journal.append(attempt)
            if may_pass(attempt) and ran.number < policy.max_attempts and policy.fits(ran.job):
                running[executor.submit(ran.job)] = _begun(ran.job, running.values(), ran.number + 1)
                yield Retried(attempt)
                continue
            work.done(ran.job, attempt)
            not_ok += attempt.record.status not in policy.fine
            yield Finished(attempt)
    if _too_many(not_ok, policy):
        yield Stopped(f"{not_ok} cells were not ok, more than --max-failures {policy.max_failures}")


class _Running(NamedTuple):
    """A job that a worker has, how it is announced, and the how-manieth attempt it is, from 1."""

    job: Job
    cell: RunningCell
    number: int


def _begun(job: Job, others: Iterable[_Running], number: int) -> _Running:
    slot = free_slot(other.cell for other in others)
    return _Running(job, RunningCell(job.variant, job.seed, slot, time.time()), number)


def _too_many(not_ok: int, policy: Policy) -> bool:
    return policy.max_failures is not None and not_ok > policy.max_failures


def _attempt(future: Future[Answer], ran: _Running) -> Attempt:
    try:
        return cast("Attempt", future.result())
    except WorkerDied as error:
        return Attempt(
            record=failure(ran.job, "oom" if error.kind == "memory" else "failed", str(error)),
            started=ran.cell.since,
            seconds=time.time() - ran.cell.since,
            train_seconds=None,
            evaluate_seconds=None,
            device=ran.job.device,
            host=socket.gethostname(),
        )

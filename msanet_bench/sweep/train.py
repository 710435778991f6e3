"""The loop: every slot busy, every outcome in the journal before anybody else hears of it."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import NamedTuple

from msanet_bench.cell import Job, failure
from msanet_bench.events import Finished, Retried, Stopped
from msanet_bench.executors import Executor, WorkerDied
from msanet_bench.journal import Attempt, Journal
from msanet_bench.sweep.work import Work


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a cell is tried whose process dies, and how many cells may fail before no more are begun."""

    max_attempts: int = 1
    max_failures: int | None = None


def train(
    work: Work, executor: Executor[Job, Attempt], journal: Journal, slots: int, policy: Policy
) -> Iterator[Finished | Retried | Stopped]:
    """Run all that `work` hands out; on any error the cells that run are given up."""
    running: dict[Future[Attempt], _Running] = {}
    not_ok = 0
    try:
        while True:
            while len(running) < slots and not _too_many(not_ok, policy) and (job := work.next()) is not None:
                running[executor.submit(job)] = _Running(job, time.time())
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                ran = running.pop(future)
                attempt = _attempt(future, ran)
                journal.append(attempt)
                if _is_tried_again(future, attempt, ran, policy):
                    running[executor.submit(ran.job)] = _Running(ran.job, time.time(), ran.number + 1)
                    yield Retried(attempt)
                    continue
                work.done(ran.job, attempt)
                not_ok += attempt.record.status not in {"ok", "pruned"}
                yield Finished(attempt)
        if _too_many(not_ok, policy):
            yield Stopped(f"{not_ok} cells were not ok, more than --max-failures {policy.max_failures}")
    except BaseException:
        executor.cancel()
        raise
    finally:
        executor.close()


class _Running(NamedTuple):
    """A job that a worker has, when it was handed over, and the how-manieth attempt it is, from 1."""

    job: Job
    since: float
    number: int = 1


def _too_many(not_ok: int, policy: Policy) -> bool:
    return policy.max_failures is not None and not_ok > policy.max_failures


def _is_tried_again(future: Future[Attempt], attempt: Attempt, ran: _Running, policy: Policy) -> bool:
    """An error of its own would come again; a death or a lack of memory may be the machine's."""
    may_pass = future.exception() is not None or attempt.record.status == "oom"
    return may_pass and ran.number < policy.max_attempts


def _attempt(future: Future[Attempt], ran: _Running) -> Attempt:
    try:
        return future.result()
    except WorkerDied as error:
        return Attempt(
            record=failure(ran.job, "oom" if error.kind == "memory" else "failed", str(error)),
            started=ran.since,
            seconds=time.time() - ran.since,
            train_seconds=None,
            evaluate_seconds=None,
            device=ran.job.device,
            host=socket.gethostname(),
        )

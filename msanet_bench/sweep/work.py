"""Where cells come from. A plan knows all of them beforehand; a search asks for the next when one is told."""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Protocol

from msanet_bench.cell import Job
from msanet_bench.journal import Attempt
from msanet_bench.records import Record
from msanet_bench.search import Ledger, StorageLost


class Work(Protocol):
    """What is still to be run."""

    def next(self) -> Job | None:
        """The next cell; None when there is none now: another may come once one that runs is done."""

    def done(self, job: Job, attempt: Attempt) -> None:
        """Hear how a cell ended; its attempt is in the journal."""


class FinitePlan:
    """The missing cells of a plan, in its order.

    Args:
        fits: Whether a cell would end in time; one that would not is left for another sweep.
        value: What Optuna is told of a cell.
        number: Its seed, or what else tells it from others of its variant.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        ledger: Ledger,
        fits: Callable[[Job], bool],
        *,
        value: Callable[[Record], float | None] | None = None,
        number: Callable[[Job], int] = attrgetter("seed"),
    ) -> None:
        self._jobs = iter(jobs)
        self._ledger = ledger
        self._fits = fits
        self._value = value or accuracy
        self._number = number
        self._trials: dict[str, int] = {}

    def next(self) -> Job | None:
        job = next(filter(self._fits, self._jobs), None)
        if job is not None:
            self._trials[job.key] = self._ledger.ask(job.key, job.variant, self._number(job))
        return job

    def done(self, job: Job, attempt: Attempt) -> None:
        self._ledger.tell(self._trials.pop(job.key), self._value(attempt.record))


class UntilLost:
    """Hands out what another does, until the storage of its study is lost: what runs then comes to its end.

    Attributes:
        loss: Why nothing more is handed out, once that is so.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self.loss: StorageLost | None = None

    def next(self) -> Job | None:
        if self.loss is None:
            try:
                return self._work.next()
            except StorageLost as loss:
                self.loss = loss
        return None

    def done(self, job: Job, attempt: Attempt) -> None:
        if self.loss is None:
            try:
                self._work.done(job, attempt)
            except StorageLost as loss:
                self.loss = loss


def accuracy(record: Record) -> float | None:
    """On the test images; None of a cell that gave no numbers."""
    return float(record.measures["accuracy"].value) if record.status == "ok" else None

"""Trying the candidates of every variant: before the cells that are tested, on validation images alone."""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, replace

from msanet_bench.cell import Job
from msanet_bench.events import Event, Phase, Stopped
from msanet_bench.plan import Cell
from msanet_bench.records import Record
from msanet_bench.search import Ledger
from msanet_bench.sweep.opening import Sweep
from msanet_bench.sweep.tuning import Tried, Tuning, tried_levels, validation_accuracy
from msanet_bench.sweep.work import FinitePlan, Work


@dataclass(frozen=True, slots=True)
class TuningHands:
    """What the sweep around it does for tuning.

    Attributes:
        study: What the study of the tested cells is called.
        fits: Whether a cell would end in time.
        try_steps: Takes the first step of variants that were never trained.
        train: Runs work until none is left.
    """

    sweep: Sweep
    study: str
    job: Callable[[Cell], Job]
    fits: Callable[[Job], bool]
    try_steps: Callable[[list[Job]], Iterable[Event]]
    train: Callable[[Work], Iterable[Event]]


def run_tuning(hands: TuningHands, tuning: Tuning) -> Generator[Event, None, bool]:
    """Try what was not tried yet; whether the sweep may go on."""
    jobs = [_job(hands, tuning, tried) for tried in hands.sweep.untried]
    ledger = _open_ledger(hands, tuning)
    yield from hands.try_steps(jobs)
    yield Phase("tuning")
    numbers = {tried.cell.key: tried.candidate for tried in tuning.tried}
    work = FinitePlan(
        jobs, ledger, hands.fits, value=validation_accuracy, number=lambda job: numbers[job.key]
    )
    may_go_on = True
    for event in hands.train(work):
        may_go_on = may_go_on and not isinstance(event, Stopped)
        yield event
    return may_go_on


def _job(hands: TuningHands, tuning: Tuning, tried: Tried) -> Job:
    job = hands.job(tried.cell)
    levels = {**job.factors, **tried_levels(tuning, tried)}
    return replace(job, factors=levels, is_tested=False)


def _open_ledger(hands: TuningHands, tuning: Tuning) -> Ledger:
    """A study of its own: its values are accuracies on validation images."""
    sweep = hands.sweep
    names = [variant.name for variant in sweep.plan.variants]
    numbers = list(range(len(tuning.candidates)))
    ledger = Ledger(sweep.storage, f"{hands.study}-tuning", names, numbers, "candidate")
    again = {tried.cell.key for tried in sweep.untried}
    ledger.reconcile(_known(tuning, {key: each for key, each in sweep.records.items() if key not in again}))
    return ledger


def _known(tuning: Tuning, records: Mapping[str, Record]) -> dict[str, tuple[str, int, float | None]]:
    return {
        cell.key: (variant, candidate, validation_accuracy(records[cell.key]))
        for variant, candidate, cell in tuning.tried
        if cell.key in records
    }

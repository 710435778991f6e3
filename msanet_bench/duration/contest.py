"""Two ways to compute one training step, taken in turns in a worker: which is faster, and by how much?"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from msanet_bench.cell import Job, broken_off, cell_data, made_ready
from msanet_bench.duration.probe import FirstStep, steps, steps_of
from msanet_bench.spec import TrainSpec
from msanet_bench.train.seed import nondeterministic_kernels

_WARM_UP, _FEWEST_PAIRS, _MOST_PAIRS = 2, 8, 60
_PAIRED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Contest:
    """A job's training as it is, against `challenger`."""

    job: Job
    challenger: TrainSpec


class Turns(NamedTuple):
    """Seconds of neighbouring steps, and what it takes the challenger until its steps are at full speed.

    Attributes:
        pairs: Champion and challenger.
        first: In a process that has never compiled it, and `again` in one that finds it on the disk.
        steps: Of a whole cell.
    """

    pairs: tuple[tuple[float, float], ...]
    first: float
    again: float
    steps: int


def hold(contest: Contest) -> Turns | FirstStep:
    """Take the steps in turns; or how a step failed."""
    job = contest.job
    other = replace(job, settings=job.settings.model_copy(update={"train": contest.challenger}))
    try:
        with nondeterministic_kernels():
            champion, _ = _started(job)
            _, first = _started(other)
            challenger, again = _started(other)
            pairs = tuple(_pairs(champion, challenger))
            whole = steps_of(job, cell_data(job))
    except Exception as error:  # noqa: BLE001 (of anybody's block: a way that fails is not taken)
        return FirstStep(job.variant, *broken_off(error))
    return Turns(pairs, first, again, whole)


def _started(job: Job) -> tuple[Iterator[float], float]:
    """Steps of a network of its own, and the seconds of the first ones."""
    began = time.perf_counter()
    taken = steps(job, made_ready(job))
    for _ in range(_WARM_UP):
        next(taken)
    return taken, time.perf_counter() - began


def _pairs(champion: Iterator[float], challenger: Iterator[float]) -> Iterator[tuple[float, float]]:
    """As many as fit into the time; who begins alternates, as a machine slows down and speeds up."""
    seconds = 0.0
    for number in range(_MOST_PAIRS):
        if number >= _FEWEST_PAIRS and seconds > _PAIRED_SECONDS:
            return
        if number % 2:
            late = next(challenger)
            pair = next(champion), late
        else:
            pair = next(champion), next(challenger)
        seconds += sum(pair)
        yield pair

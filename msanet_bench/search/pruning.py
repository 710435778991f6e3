"""What a run must reach to go on, worked out from the runs that have ended when it is handed out.

Epochs after the last but one are not judged: such a run has cost all that it can cost.
"""

import math
from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from msanet_bench.search_spec import PrunerSpec
from msanet_bench.train.stop import Stops


@dataclass(frozen=True, slots=True)
class Run:
    """One run that has ended: its trial, its validation accuracies, and whether it was left to its end."""

    number: int
    accuracies: Sequence[float]
    is_complete: bool


def stops(pruner: PrunerSpec, *, study: str, number: int, epochs: int, runs: Sequence[Run]) -> Stops:
    """The thresholds of a trial's run; `runs` have the same seed."""
    match pruner.name:
        case "median":
            return Stops(dict(_medians(pruner, epochs, runs)), of_best=True)
        case "successive_halving":
            return Stops(dict(_rungs(pruner, 0, epochs, runs)))
        case "hyperband":
            mine = bracket(pruner, study=study, number=number, epochs=epochs)
            rivals = [
                run for run in runs if bracket(pruner, study=study, number=run.number, epochs=epochs) == mine
            ]
            return Stops(dict(_rungs(pruner, mine, epochs, rivals)))


def bracket(pruner: PrunerSpec, *, study: str, number: int, epochs: int) -> int:
    """Which bracket of hyperband a trial belongs to (Li et al. 2018, JMLR 18-185, algorithm 1).

    Brackets take turns by a hash of the trial's number, as often as their shares of the trials are.
    """
    count = 1 + _exponent(epochs / pruner.first, pruner.factor)
    shares = [math.ceil(count * pruner.factor**left / (left + 1)) for left in reversed(range(count))]
    place = crc32(f"{study}_{number}".encode()) % sum(shares)
    for index, share in enumerate(shares):
        place -= share
        if place < 0:
            return index
    raise AssertionError("the shares add up to their sum")


def _medians(pruner: PrunerSpec, epochs: int, runs: Sequence[Run]) -> Iterator[tuple[int, float]]:
    """The median over complete runs of each epoch's accuracy, as Optuna's MedianPruner has it."""
    complete = [run.accuracies for run in runs if run.is_complete]
    if len(complete) < pruner.startup:
        return
    for epoch in range(pruner.warmup, epochs):
        reached = [accuracies[epoch - 1] for accuracies in complete if len(accuracies) >= epoch]
        if reached:
            yield epoch, median(reached)


def _rungs(pruner: PrunerSpec, delay: int, epochs: int, runs: Sequence[Run]) -> Iterator[tuple[int, float]]:
    """What belongs to the best of `factor` at each rung (Li et al. 2020, ASHA, arXiv:1810.05934).

    As in Optuna, the first `factor` - 1 runs at a rung must beat all others there.
    """
    epoch = pruner.first * pruner.factor**delay
    while epoch < epochs:
        there = sorted(
            (run.accuracies[epoch - 1] for run in runs if len(run.accuracies) >= epoch), reverse=True
        )
        places = max((len(there) + 1) // pruner.factor, 1)
        if len(there) >= places:
            yield epoch, there[places - 1]
        epoch *= pruner.factor


def _exponent(value: float, base: int) -> int:
    """The largest n with base**n <= value; a logarithm of floats misses exact powers."""
    n = 0
    while base ** (n + 1) <= value:
        n += 1
    return n

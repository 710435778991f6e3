"""What a search is judged by: the mean accuracy on validation images, and what is known before training."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from msanet_bench.constraint import Constraint
from msanet_bench.records import Record
from msanet_bench.search_spec import Objective


def values(
    objectives: Sequence[Objective], records: Sequence[Record], costs: Mapping[str, float | None]
) -> tuple[float, ...]:
    """One value an objective; all costs among them are known."""
    found = {"accuracy": fmean(map(validation_accuracy, records)), **costs}
    known = {name: float(value) for name, value in found.items() if value is not None}
    return tuple(known[name] for name in objectives)


def validation_accuracy(record: Record) -> float:
    """Of the epoch whose weights were tested: never the accuracy on the test images."""
    chosen: int = record.provenance["chosen_epoch"]
    return record.curve[chosen - 1]["validation_accuracy"]


def validation_curve(record: Record) -> list[float]:
    return [epoch["validation_accuracy"] for epoch in record.curve]


def mean_curve(records: Sequence[Record]) -> list[float]:
    """The mean over the seeds, epoch by epoch, as far as all of them go."""
    return [fmean(epoch) for epoch in zip(*map(validation_curve, records), strict=False)]


def excess(constraints: Sequence[Constraint], costs: Mapping[str, float | None]) -> dict[str, float]:
    """By how much each limit is broken, relative to it; zero or less where it is kept. Of what is known."""
    return {
        str(constraint): constraint.excess(value) / (constraint.limit or 1)
        for constraint in constraints
        if (value := costs.get(constraint.measure)) is not None
    }


def broken(
    constraints: Sequence[Constraint], objectives: Sequence[Objective], costs: Mapping[str, float | None]
) -> Iterator[str]:
    """Why a configuration is not trained."""
    wanted = dict.fromkeys(
        [*(c.measure for c in constraints), *(name for name in objectives if name != "accuracy")]
    )
    for name in wanted:
        if costs[name] is None:
            yield f"{name} cannot be counted exactly"
    for constraint in constraints:
        value = costs[constraint.measure]
        if value is not None and not constraint.allows(value):
            yield f"{constraint.name} is {constraint.shown(value)}, but {constraint} is asked for"

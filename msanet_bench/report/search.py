"""A search as the manifest has it: what was asked for, how it went, and which trials nothing beats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msanet_bench.analysis.pareto import on_front
from msanet_bench.search_spec import DIRECTIONS, Objective, SearchSpec
from msanet_bench.tabulate import csv_text


@dataclass(frozen=True, slots=True)
class SearchTrial:
    """One configuration; `values` are of the objectives, and empty unless it is complete."""

    number: int
    variant: str
    state: str
    reason: str
    values: tuple[float, ...]
    costs: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Searched:
    """The search of a results folder.

    Attributes:
        spec: As it was asked for.
        constraints: The limits, as text.
        trials: In the order in which they were asked for; the first is the baseline.
    """

    design: str
    spec: SearchSpec
    constraints: tuple[str, ...]
    trials: tuple[SearchTrial, ...]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        return self.spec.objectives

    @property
    def complete(self) -> list[SearchTrial]:
        return [trial for trial in self.trials if trial.state == "complete"]

    @property
    def best(self) -> SearchTrial | None:
        """The highest accuracy on validation images; of equals the first that nothing beats otherwise."""
        return max(self.front, key=self.accuracy, default=None)

    @property
    def front(self) -> list[SearchTrial]:
        """The complete trials that no other is as good as in every objective and better than in one."""
        is_higher = [DIRECTIONS[name] == "higher" for name in self.objectives]
        is_on = on_front([trial.values for trial in self.complete], is_higher)
        return [trial for trial, is_one in zip(self.complete, is_on, strict=True) if is_one]

    def accuracy(self, trial: SearchTrial) -> float:
        return trial.values[self.objectives.index("accuracy")]

    def number(self, state: str) -> int:
        return sum(trial.state == state for trial in self.trials)


def read_search(experiment: Mapping[str, Any], trials: Sequence[Mapping[str, Any]] | None) -> Searched | None:
    """The search of a manifest; None of a finite design.

    Raises:
        ValueError, KeyError, TypeError: it is no search.
    """
    if trials is None:
        return None
    limits = (f"{c['measure']} {c['relation']} {c['limit']:,}" for c in experiment["constraints"])
    return Searched(
        design=experiment["design"],
        spec=SearchSpec.model_validate(experiment["search"]),
        constraints=tuple(limits),
        trials=tuple(SearchTrial(**{**trial, "values": tuple(trial["values"])}) for trial in trials),
    )


def trials_csv(searched: Searched) -> str:
    """A row a trial: what became of it, its accuracy on validation images, and its costs."""
    costs = ("params", "macs", "memory")
    rows = (
        {
            "number": trial.number,
            "variant": trial.variant,
            "state": trial.state,
            "reason": trial.reason,
            "validation_accuracy": f"{searched.accuracy(trial):.10g}" if trial.values else None,
            **{name: trial.costs.get(name) for name in costs},
        }
        for trial in searched.trials
    )
    return csv_text(("number", "variant", "state", "reason", "validation_accuracy", *costs), rows)

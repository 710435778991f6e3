"""A search as the manifest has it: what was asked for, how it went, and which trials nothing beats."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msanet_bench.analysis.pareto import on_front
from msanet_bench.constraint import Constraint
from msanet_bench.report.document import Bar
from msanet_bench.search_spec import DIRECTIONS, Objective, SearchSpec
from msanet_bench.tabulate import csv_text

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class SearchTrial:
    """One configuration; `values` are of the objectives, and empty unless it is complete.

    Attributes:
        timing: How long it took beside the baseline before it was trained; None where nobody asked.
    """

    number: int
    variant: str
    state: str
    reason: str
    values: tuple[float, ...]
    costs: Mapping[str, float | None]
    timing: Mapping[str, Any] | None = None

    @property
    def latency(self) -> Bar | None:
        """Seconds; the interval is that of the ratio to the baseline, which has none to itself."""
        seconds = self.costs.get("latency")
        if seconds is None or self.timing is None:
            return None
        ratio, low, high = (self.timing[name] for name in ("ratio", "low", "high"))
        if self.number == 0:
            return Bar(seconds, _NAN, _NAN)
        return Bar(seconds, *(_NAN if end is None else seconds * end / ratio for end in (low, high)))


@dataclass(frozen=True, slots=True)
class Searched:
    """The search of a results folder.

    Attributes:
        spec: As it was asked for.
        trials: In the order in which they were asked for; the first is the baseline.
    """

    design: str
    spec: SearchSpec
    constraints: tuple[Constraint, ...]
    trials: tuple[SearchTrial, ...]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        return self.spec.objectives

    @property
    def complete(self) -> list[SearchTrial]:
        return [trial for trial in self.trials if trial.state == "complete"]

    @property
    def candidates(self) -> list[SearchTrial]:
        """The complete trials that keep the limits: the baseline need not keep those relative to itself."""
        is_allowed = all(limit.allows_the_baseline for limit in self.constraints)
        return [trial for trial in self.complete if trial.number > 0 or is_allowed]

    @property
    def device(self) -> str | None:
        """Where latencies were measured; None where nobody asked for them."""
        timed = (trial.timing for trial in self.trials if trial.timing is not None)
        return next((str(timing["device"]) for timing in timed), None)

    @property
    def best(self) -> SearchTrial | None:
        """The highest accuracy on validation images; of equals the first that nothing beats otherwise."""
        return max(self.front, key=self.accuracy, default=None)

    @property
    def front(self) -> list[SearchTrial]:
        """The candidates that no other is as good as in every objective and better than in one."""
        is_higher = [DIRECTIONS[name] == "higher" for name in self.objectives]
        is_on = on_front([trial.values for trial in self.candidates], is_higher)
        return [trial for trial, is_one in zip(self.candidates, is_on, strict=True) if is_one]

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
    return Searched(
        design=experiment["design"],
        spec=SearchSpec.model_validate(experiment["search"]),
        constraints=tuple(map(Constraint.model_validate, experiment["constraints"])),
        trials=tuple(SearchTrial(**{**trial, "values": tuple(trial["values"])}) for trial in trials),
    )


def trials_csv(searched: Searched) -> str:
    """A row a trial: what became of it, its accuracy on validation images, and its costs."""
    costs = ("params", "macs", "memory")
    times = _TIMES if searched.device is not None else ()
    rows = (
        {
            "number": trial.number,
            "variant": trial.variant,
            "state": trial.state,
            "reason": trial.reason,
            "validation_accuracy": f"{searched.accuracy(trial):.10g}" if trial.values else None,
            **{name: trial.costs.get(name) for name in costs},
            **dict(zip(times, _times(trial), strict=False)),
        }
        for trial in searched.trials
    )
    return csv_text(("number", "variant", "state", "reason", "validation_accuracy", *costs, *times), rows)


_TIMES = ("latency_s", "latency_s_low", "latency_s_high")


def _times(trial: SearchTrial) -> list[str | None]:
    times = trial.latency or Bar(_NAN, _NAN, _NAN)
    return [None if math.isnan(seconds) else f"{seconds:.6g}" for seconds in times]

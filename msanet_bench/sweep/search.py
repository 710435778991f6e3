"""A sweep whose variants are not known beforehand: from the first question to the last cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msanet_bench.cell import Job
from msanet_bench.checks import CheckedPlan, catalog
from msanet_bench.checks.shapes import ImageShape
from msanet_bench.journal import Attempt
from msanet_bench.plan import Cell, Variant, cell_key
from msanet_bench.profile.costs import Costs as Counted
from msanet_bench.records import Record
from msanet_bench.search import (
    Asked,
    Costs,
    Mirror,
    Searcher,
    Sources,
    Timing,
    Trial,
    TrialFile,
    Turn,
    search_id,
    space_of,
)
from msanet_bench.spec import Experiment
from msanet_bench.units import Measure

Count = Callable[[Variant, ImageShape], Counted]


@dataclass(frozen=True, slots=True)
class SearchParts:
    """What a search needs of the sweep around it.

    Attributes:
        known: The cells that need not be trained again.
        job: What a worker is told of a cell.
        time: How long variants take, the first of them being the baseline.
        fits: Whether a cell would end in time.
        save: Called with all trials and all cells of them when one has begun or ended.
        cost_code: The digest of the code that counts costs.
    """

    experiment: Experiment
    plan: CheckedPlan
    known: Mapping[str, Record]
    count: Count
    time: Callable[[Sequence[Variant]], Sequence[Timing]]
    job: Callable[[Cell, Mapping[str, Measure]], Job]
    fits: Callable[[Job], bool]
    save: Callable[[Sequence[Trial], Sequence[Cell]], None]
    cost_code: str


class SearchWork:
    """Cells that a search asks for; a search that would not end in time ends early.

    Attributes:
        is_over: Whether it did.
    """

    def __init__(
        self, parts: SearchParts, file: TrialFile, asked: Sequence[Asked], storage: str, study: str
    ) -> None:
        self._parts = parts
        self._turns: dict[str, Turn] = {}
        self.is_over = False
        space = space_of(parts.experiment, catalog())
        # values are means over the seeds: with more of them, they are other values
        name = f"{study}-{search_id(parts.experiment, space)}-{len(parts.experiment.seeds)}-seeds"
        self._mirror = Mirror(storage, name, parts.experiment, space)
        sources = Sources(
            key=self._key,
            price=self._price,
            time=parts.time,
            known=parts.known,
            asked=asked,
            write=file.append,
            hear=self._hear,
            code=parts.cost_code,
        )
        self._searcher = Searcher(parts.experiment, catalog(), sources)

    @property
    def trials(self) -> list[Trial]:
        return self._searcher.trials

    @property
    def cells(self) -> list[Cell]:
        """Every cell that was run or will be, in the order of trials and seeds.

        Of a trial that was stopped or failed, the seeds after that are none.
        """
        seeds = self._parts.experiment.seeds
        return [
            Cell(trial.variant, seed, self._key(trial.variant, seed))
            for trial in trained(self.trials)
            for seed in (seeds if trial.state in {"open", "complete"} else seeds[: len(trial.records)])
        ]

    def next(self) -> Job | None:
        turn = None if self.is_over else self._searcher.next()
        if turn is None:
            return None
        cell = Cell(turn.trial.variant, turn.seed, turn.key)
        job = replace(self._parts.job(cell, _measures(turn.trial.costs)), stops=turn.stops)
        if not self._parts.fits(job):
            self.is_over = True
            return None
        self._turns[job.key] = turn
        self._parts.save(self.trials, self.cells)
        return job

    def done(self, job: Job, attempt: Attempt) -> None:
        self._searcher.done(self._turns.pop(job.key).trial.number, attempt.record)

    def _key(self, variant: Variant, seed: int) -> str:
        return cell_key(
            variant.settings, seed, self._parts.plan.data_digest(variant.settings.data), catalog()
        )

    def _price(self, variant: Variant) -> Costs:
        counted = self._parts.count(variant, self._parts.plan.shape(variant.settings.data))
        return {
            "params": counted.inventory.params,
            "macs": counted.counts.macs.total if counted.counts.macs.is_exact else None,
            "memory": counted.memory.inference_peak_bytes,
        }

    def _hear(self, trial: Trial) -> None:
        self._mirror.hear(trial)
        self._parts.save(self.trials, self.cells)


def trained(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that have cells of their own."""
    return [trial for trial in trials if trial.state not in {"rejected", "repeated"}]


def trial_json(trial: Trial) -> dict[str, Any]:
    """What the manifest says of a trial."""
    timing = {} if trial.timing is None else {"timing": trial.timing.to_json()}
    return {
        "number": trial.number,
        "variant": trial.variant.name,
        "state": trial.state,
        "reason": trial.reason,
        "values": list(trial.values),
        "costs": dict(trial.costs),
        **timing,
    }


def _measures(costs: Costs) -> dict[str, Measure]:
    """What stands in every record of the configuration."""
    known = {name: costs[name] for name in ("params", "macs")}
    return {name: Measure(value, "count", "lower") for name, value in known.items() if value is not None}

"""Equal tuning: the same candidates for every variant, and which of them each one is given.

What was chosen follows from the journal alone, so a sweep that is killed chooses the same again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple

from msanet_bench.checks import CheckedPlan, catalog
from msanet_bench.plan import Cell, Choice, Variant, apply, cell_key, level_name
from msanet_bench.records import Record
from msanet_bench.running import UNTUNED
from msanet_bench.search import tuning_candidates
from msanet_bench.spec import MOST_SEEDS, Experiment, digest


class Tried(NamedTuple):
    """A variant trained with one candidate; the cell's variant has the candidate's settings."""

    variant: str
    candidate: int
    cell: Cell


class Outcome(NamedTuple):
    """What tuning found for one variant.

    Attributes:
        accuracies: On the validation images, of each candidate; None where there is none.
        statuses: How each candidate ended; `missing` where it has not.
    """

    accuracies: tuple[float | None, ...]
    statuses: tuple[str, ...]

    @property
    def chosen(self) -> int | None:
        """The best candidate, the first of equals and of none with numbers; None before all have ended."""
        if "missing" in self.statuses:
            return None
        return max(range(len(self.accuracies)), key=lambda number: (self._worth(number), -number))

    def _worth(self, number: int) -> float:
        accuracy = self.accuracies[number]
        return -1.0 if accuracy is None else accuracy


@dataclass(frozen=True, slots=True)
class Tuning:
    """The tuning of an experiment.

    Attributes:
        seed: Of every tuning cell, and of no other.
        tried: Every variant with every candidate, candidate by candidate.
    """

    seed: int
    candidates: tuple[Choice, ...]
    tried: tuple[Tried, ...]

    def outcomes(self, records: Mapping[str, Record]) -> dict[str, Outcome]:
        """By variant, from what the journal holds."""
        found: dict[str, list[Record | None]] = {}
        for variant, _, cell in self.tried:
            found.setdefault(variant, []).append(records.get(cell.key))
        return {variant: _outcome(each) for variant, each in found.items()}

    def undecided(self, records: Mapping[str, Record]) -> set[str]:
        """The variants of which candidates are left to be tried."""
        return {name for name, outcome in self.outcomes(records).items() if outcome.chosen is None}

    def tuned(self, plan: CheckedPlan, records: Mapping[str, Record]) -> CheckedPlan:
        """The plan with what was chosen for each variant; what is not decided stays as the file says."""
        outcomes = self.outcomes(records)
        variants = (
            _with(variant, self.candidates[outcomes[variant.name].chosen or 0]) for variant in plan.variants
        )
        return replace(plan, variants=tuple(variants))


def tuning_seed(named: Iterable[int]) -> int:
    """The first from 1000 on that the experiment does not name: it stays the same when seeds are added."""
    taken = set(named)
    return next(seed for seed in count(MOST_SEEDS) if seed not in taken)


def tuning_of(experiment: Experiment, plan: CheckedPlan) -> Tuning | None:
    """The tuning that a file asks for; None if it asks for none."""
    if experiment.tune is None:
        return None
    seed = tuning_seed(experiment.seeds)
    candidates = tuning_candidates(experiment, experiment.tune, catalog())
    tried = (
        Tried(variant.name, number, _cell(_with(variant, candidate), seed, plan))
        for number, candidate in enumerate(candidates)
        for variant in plan.variants
    )
    return Tuning(seed, candidates, tuple(tried))


def validation_accuracy(record: Record) -> float | None:
    """Of a tuning cell; None of one that gave no numbers."""
    return float(record.measures["validation_accuracy"].value) if record.status == "ok" else None


def tuning_words(tuning: Tuning, cells: int) -> str:
    """What tuning takes beside so many cells of a plan."""
    variants, candidates = len({tried.variant for tried in tuning.tried}), len(tuning.candidates)
    paths = ", ".join(tuning.candidates[0])
    return (
        f"Tuning of {paths}: {variants} variants x {candidates} candidates with seed {tuning.seed} = "
        f"{len(tuning.tried)} cells before, and at most {cells} to show the variants untuned."
    )


def tried_levels(tuning: Tuning, tried: Tried) -> dict[str, str]:
    """What a candidate sets, by the names of its values."""
    return {path: level_name(value) for path, value in tuning.candidates[tried.candidate].items()}


def tuning_json(tuning: Tuning, records: Mapping[str, Record], untuned: Sequence[Cell]) -> dict[str, Any]:
    """What the manifest holds of it."""
    return {
        "seed": tuning.seed,
        "candidates": [dict(candidate) for candidate in tuning.candidates],
        "cells": [
            {"variant": tried.variant, "candidate": tried.candidate, "key": tried.cell.key}
            for tried in tuning.tried
        ],
        "outcomes": [
            {"variant": variant, **outcome._asdict(), "chosen": outcome.chosen}
            for variant, outcome in tuning.outcomes(records).items()
        ],
        "untuned": [{"variant": c.variant.name, "seed": c.seed, "key": c.key} for c in untuned],
    }


def called_untuned(cell: Cell) -> Cell:
    """The cell under a name of its own, for those who watch."""
    return replace(cell, variant=replace(cell.variant, name=f"{cell.variant.name}{UNTUNED}"))


def plain_name(cell: Cell) -> str:
    """The variant of a cell, tuned or not."""
    return cell.variant.name.removesuffix(UNTUNED)


def _with(variant: Variant, candidate: Choice) -> Variant:
    return replace(variant, settings=apply(variant.settings, candidate))


def _cell(variant: Variant, seed: int, plan: CheckedPlan) -> Cell:
    """Its key is no tested cell's: a record of validation images alone is never taken for one of those."""
    key = cell_key(variant.settings, seed, plan.data_digest(variant.settings.data), catalog())
    return Cell(variant, seed, digest({"tuning": key}))


def _outcome(records: Sequence[Record | None]) -> Outcome:
    return Outcome(
        tuple(None if record is None else validation_accuracy(record) for record in records),
        tuple("missing" if record is None else record.status for record in records),
    )

"""What a sweep finds in its folder, and what is decided of it before anything is trained."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from msanet_bench.amendments import History, decided, planned, read_history, seeds_beyond
from msanet_bench.checks import CheckedPlan, catalog
from msanet_bench.errors import BenchError
from msanet_bench.journal import Attempt, Journal, final_records
from msanet_bench.plan import Cell, chosen_variants, plan_cells
from msanet_bench.records import Record
from msanet_bench.search import TrialFile, storage_url, variants_of
from msanet_bench.shard import Shard, planned_seeds
from msanet_bench.source_digest import code_digest
from msanet_bench.spec import Experiment
from msanet_bench.sweep.devices import VISIBLE, Devices
from msanet_bench.sweep.options import SweepOptions
from msanet_bench.sweep.tuning import Tried, Tuning, called_untuned, plain_name, tuning_of, tuning_seed


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the phases of one sweep share.

    Attributes:
        code: The digest of the code that cells are trained with.
        checked: The plan as the file has it.
        plan: The plan as it is trained; where variants are tuned, with what was chosen for each so far.
        cells: All that is planned, of which some are not trained now.
        own: Those of them that are this shard's: all where there are no shards.
        missing: Those that are trained now.
        attempts: What the journal held when the sweep began, and `records` what of it counts.
        history: The plans of this folder, today's included.
        tuning: None where nothing is tuned, as all that follows is empty.
        untried: What is to be tried before the variants that it tunes are trained.
        untuned: All cells as they are without tuning, some of which are among `cells`.
    """

    experiment: Experiment
    options: SweepOptions
    devices: Devices
    code: str
    checked: CheckedPlan
    plan: CheckedPlan
    cells: Sequence[Cell]
    own: Sequence[Cell]
    missing: Sequence[Cell]
    journal: Journal
    attempts: Sequence[Attempt]
    records: Mapping[str, Record]
    history: History
    tuning: Tuning | None = None
    untried: Sequence[Tried] = ()
    untuned: Sequence[Cell] = ()

    @property
    def tried(self) -> Sequence[Tried]:
        """Everything that tunes."""
        return () if self.tuning is None else self.tuning.tried

    @property
    def planned(self) -> set[str]:
        """The keys of all that is to be trained here."""
        return {cell.key for cell in (*self.own, *self.all_cells[len(self.cells) :])}

    @property
    def all_cells(self) -> Sequence[Cell]:
        """Those of the plan, what they are without tuning, and those that tune."""
        return (*self.cells, *self.untuned, *(each.cell for each in self.tried))

    @property
    def seeds(self) -> Sequence[int]:
        """All that are planned, whoever trains them."""
        return planned_seeds(self.cells)

    @property
    def results(self) -> Path:
        return self.options.results

    @property
    def storage(self) -> str:
        """The URL of Optuna's storage; it may hold a password."""
        return self.options.storage or storage_url(self.results)


def open_sweep(experiment: Experiment, options: SweepOptions, devices: Devices, plan: CheckedPlan) -> Sweep:
    """What is missing in a results folder, which must be held; nothing is written.

    Raises:
        BenchError: a variant is unknown, or what the folder holds is not in order or was made by other code.
    """
    if devices.visible:  # the latency session of this process keeps to them too
        os.environ[VISIBLE] = ",".join(devices.visible)
    if experiment.search is not None:
        _refuse_choices(options)
    if experiment.tune is not None and options.shard is not None:
        raise BenchError(
            "--shard: not with `tune`, since what is chosen for a variant must be the same on every machine. "
            "Use --executor ray to train on several."
        )
    names = [variant.name for variant in plan.variants]
    chosen = names if options.variants is None else chosen_variants(options.variants, names)
    journal, before = Journal(options.results / "journal.jsonl"), read_history(options.results)
    attempts = journal.read()
    records = final_records(attempts)
    code = code_digest(experiment.plugins, options.plugin_folder)
    added = _added(before, chosen, options.add_seeds)
    tuning = tuning_of(experiment, plan)
    tuned = plan if tuning is None else tuning.tuned(plan, records)
    cells = planned_cells(experiment, tuned, added, options.results)
    untuned = [] if tuning is None else planned_cells(experiment, plan, added, options.results)
    keys = {cell.key for cell in cells}
    own = cells if options.shard is None else _own(cells, options.shard)
    has_results = any(record.status == "ok" for record in records.values())
    history = planned(before, experiment, cells, added, has_results=has_results)
    beside = [called_untuned(cell) for cell in untuned if cell.key not in keys]
    tried = () if tuning is None else tuning.tried
    others = _trained_by_others([*cells, *beside, *(each.cell for each in tried)], records, code)
    again = others if options.other_code == "train again" else ()

    asked = _Asked(experiment, options, frozenset(chosen), records, frozenset(again))
    undecided = set() if tuning is None else tuning.undecided(records)
    return Sweep(
        experiment=experiment,
        options=options,
        devices=devices,
        code=code,
        checked=plan,
        plan=tuned,
        cells=cells,
        own=own,
        missing=[
            cell for cell in (*own, *beside) if asked.is_missing(cell) and plain_name(cell) not in undecided
        ],
        journal=journal,
        attempts=attempts,
        records=records,
        history=_with_decision(history, others, code, options),
        tuning=tuning,
        untried=[each for each in tried if asked.is_missing(each.cell)],
        untuned=untuned,
    )


class _Asked(NamedTuple):
    """What is to be trained now: the chosen variants, and the keys of what is trained again."""

    experiment: Experiment
    options: SweepOptions
    chosen: frozenset[str]
    records: Mapping[str, Record]
    again: frozenset[str]

    def is_missing(self, cell: Cell) -> bool:
        """What a search stopped early is no cell of a design: those are all needed to their end."""
        if plain_name(cell) not in self.chosen:
            return False
        record = self.records.get(cell.key)
        if record is None or cell.key in self.again or record.status in self.options.retry:
            return True
        return record.status == "pruned" and self.experiment.search is None


def _refuse_choices(options: SweepOptions) -> None:
    """What chooses cells of a plan means nothing to a search.

    Raises:
        BenchError: something of the kind was asked for.
    """
    choices = {"--variants": options.variants, "--add-seeds": options.add_seeds, "--shard": options.shard}
    for option, choice in choices.items():
        if choice is not None:
            raise BenchError(
                f"{option}: a search chooses its variants itself, each after what it learnt of the others. "
                "To measure what it found with new seeds, name the variants in an experiment with the design "
                "`list`."
            )


def _added(before: History, chosen: Iterable[str], number: int | None) -> Mapping[str, int]:
    """How many seeds beyond those of the file each variant has from now on."""
    asked = {} if number is None else dict.fromkeys(chosen, number)
    return {name: seeds for name, seeds in {**before.added_seeds, **asked}.items() if seeds}


def planned_cells(
    experiment: Experiment, plan: CheckedPlan, added: Mapping[str, int], results: Path
) -> list[Cell]:
    """The cells of the file, then those of added seeds; seed by seed. Of a search, what it has asked for."""
    if experiment.search is not None:
        asked = variants_of(experiment, catalog(), TrialFile(results).read())
        return plan_cells(asked or plan.variants, experiment.seeds, catalog(), plan.data_digest)
    taken = (
        experiment.seeds if experiment.tune is None else (*experiment.seeds, tuning_seed(experiment.seeds))
    )
    beyond = seeds_beyond(taken, max(added.values(), default=0))
    cells = plan_cells(plan.variants, [*experiment.seeds, *beyond], catalog(), plan.data_digest)
    place = {seed: number for number, seed in enumerate(beyond)}
    return [cell for cell in cells if place.get(cell.seed, -1) < added.get(cell.variant.name, 0)]


def _own(cells: Sequence[Cell], shard: Shard) -> list[Cell]:
    seeds = shard.seeds(planned_seeds(cells))
    return [cell for cell in cells if cell.seed in seeds]


def _trained_by_others(cells: Sequence[Cell], records: Mapping[str, Record], code: str) -> dict[str, str]:
    """The code of each planned cell that has a record of other code than today's, by the cell's key."""
    codes = {cell.key: str(records[cell.key].provenance.get("code")) for cell in cells if cell.key in records}
    return {key: other for key, other in codes.items() if other != code}


def _with_decision(history: History, others: Mapping[str, str], code: str, options: SweepOptions) -> History:
    """The history with what was decided of cells that other code trained.

    Raises:
        BenchError: there are such cells, and nothing was decided.
    """
    if others and options.other_code == "train again":
        return decided(history, "trained again", code)
    undecided = frozenset(others.values()) - history.accepted_code
    if not undecided:
        return history
    if options.other_code == "accept":
        accepted = history.accepted_code | undecided
        return decided(replace(history, accepted_code=accepted), "accepted", code)
    raise BenchError(
        f"{options.results}: {len(others)} finished cells were trained by other code than today's ({code}): "
        "the code of model, data or training or a plug-in has changed since. --accept-code keeps them as "
        "they are, --rerun-changed trains them again; the manifest and the report tell which."
    )

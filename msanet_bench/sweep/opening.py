"""What a sweep finds in its folder, and what is decided of it before anything is trained."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from msanet_bench.amendments import History, decided, planned, read_history
from msanet_bench.checks import CheckedPlan
from msanet_bench.duration.choose import Chosen
from msanet_bench.errors import BenchError
from msanet_bench.journal import Attempt, Journal, final_records
from msanet_bench.plan import Cell, chosen_variants
from msanet_bench.records import Record
from msanet_bench.search import storage_url
from msanet_bench.shard import Shard, planned_seeds
from msanet_bench.source_digest import code_digest
from msanet_bench.spec import Experiment
from msanet_bench.sweep.devices import Devices
from msanet_bench.sweep.options import SweepOptions
from msanet_bench.sweep.planned import Planned, plan_all
from msanet_bench.sweep.tries import tries_in_vain
from msanet_bench.sweep.tuning import Tried, plain_name


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the phases of one sweep share.

    Attributes:
        code: The digest of the code that cells are trained with.
        checked: The plan as the file has it.
        planned: All that the experiment asks for, with what tuning has chosen so far.
        own: Those of its cells that are this shard's: all where there are no shards.
        missing: Those that are trained now.
        tried: How often those were tried before whose tries go on, by their keys.
        attempts: What the journal held when the sweep began, and `records` what of it counts.
        history: The plans of this folder, today's included.
        untried: What tunes and is trained now, before the variants that it is for.
        choices: What the machine decided of `train.auto`.
    """

    experiment: Experiment
    options: SweepOptions
    devices: Devices
    code: str
    checked: CheckedPlan
    planned: Planned
    own: Sequence[Cell]
    missing: Sequence[Cell]
    tried: Mapping[str, int]
    journal: Journal
    attempts: Sequence[Attempt]
    records: Mapping[str, Record]
    history: History
    untried: Sequence[Tried]
    choices: Sequence[Chosen]

    @property
    def plan(self) -> CheckedPlan:
        """As it is trained."""
        return self.planned.plan

    @property
    def cells(self) -> Sequence[Cell]:
        """All that are tested, of which some are not trained now."""
        return self.planned.cells

    @property
    def keys(self) -> set[str]:
        """Of all that is to be trained here, tuning too."""
        tried = (tried.cell for tried in self.planned.tried)
        return {cell.key for cell in (*self.own, *self.planned.untuned, *tried)}

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


def open_sweep(
    experiment: Experiment,
    options: SweepOptions,
    devices: Devices,
    plan: CheckedPlan,
    choices: Sequence[Chosen] = (),
) -> Sweep:
    """What is missing in a results folder, which must be held; nothing is written.

    Raises:
        BenchError: a variant is unknown, or what the folder holds is not in order or was made by other code.
    """
    _refuse_choices(experiment, options)
    names = [variant.name for variant in plan.variants]
    chosen = names if options.variants is None else chosen_variants(options.variants, names)
    journal, before = Journal(options.results / "journal.jsonl"), read_history(options.results)
    attempts = journal.read()
    records = final_records(attempts)
    code = code_digest(experiment.plugins, options.plugin_folder)
    added = _added(before, chosen, options.add_seeds)
    everything = plan_all(experiment, plan, added, options.results, records)
    cells = everything.cells
    own = cells if options.shard is None else _own(cells, options.shard)
    has_results = any(record.status == "ok" for record in records.values())
    history = planned(before, experiment, cells, added, has_results=has_results)
    others = _trained_by_others(everything.all_cells, records, code)
    again = others if options.other_code == "train again" else ()
    tried = _to_go_on(tries_in_vain(attempts, code), records, options)
    asked = _Asked(experiment, options, frozenset(chosen), records, frozenset(again) | tried.keys())
    undecided = everything.undecided(records)
    ready = [cell for cell in (*own, *everything.beside) if plain_name(cell) not in undecided]
    return Sweep(
        experiment=experiment,
        options=options,
        devices=devices,
        code=code,
        checked=plan,
        planned=everything,
        own=own,
        missing=[cell for cell in ready if asked.is_missing(cell)],
        tried=tried,
        journal=journal,
        attempts=attempts,
        records=records,
        history=replace(
            _with_decision(history, others, code, options),
            choices=tuple(choice.to_json() for choice in choices),
        ),
        untried=[each for each in everything.tried if asked.is_missing(each.cell)],
        choices=choices,
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
        # the plan of a search names its levels alone, not its trials, and nothing of it can be chosen
        if self.experiment.search is None and plain_name(cell) not in self.chosen:
            return False
        record = self.records.get(cell.key)
        if record is None or cell.key in self.again or record.status in self.options.retry:
            return True
        return record.status == "pruned" and self.experiment.search is None


def _refuse_choices(experiment: Experiment, options: SweepOptions) -> None:
    """What chooses cells of a plan means nothing to a search, nor shards to tuning.

    Raises:
        BenchError: something of the kind was asked for.
    """
    if experiment.tune is not None and options.shard is not None:
        raise BenchError(
            "--shard: not with `tune`, since what is chosen for a variant must be the same on every machine. "
            "Use --executor ray to train on several."
        )
    if experiment.search is None:
        return
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


def _own(cells: Sequence[Cell], shard: Shard) -> list[Cell]:
    seeds = shard.seeds(planned_seeds(cells))
    return [cell for cell in cells if cell.seed in seeds]


def _to_go_on(
    tries: Mapping[str, int], records: Mapping[str, Record], options: SweepOptions
) -> dict[str, int]:
    """The cells that have tries left; where --retry asks for another, all of them count anew."""
    return {
        key: number
        for key, number in tries.items()
        if number < options.max_attempts and records[key].status not in options.retry
    }


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

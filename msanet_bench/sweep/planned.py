"""Every cell of an experiment: those of its plan, what they are without tuning, and those that tune."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from msanet_bench.amendments import seeds_beyond
from msanet_bench.checks import CheckedPlan, catalog
from msanet_bench.plan import Cell, plan_cells
from msanet_bench.records import Record
from msanet_bench.search import TrialFile, variants_of
from msanet_bench.spec import Experiment
from msanet_bench.sweep.tuning import Tried, Tuning, called_untuned, plain_name, tuning_of, tuning_seed


class Planned(NamedTuple):
    """All that an experiment asks for, as far as it is known.

    Attributes:
        plan: With what was chosen for each variant so far.
        cells: Those that are tested and compared.
        tuning: None where nothing is tuned, and then nothing is untuned.
        untuned: All cells as they are without tuning, some of which are among `cells`.
    """

    plan: CheckedPlan
    cells: list[Cell]
    tuning: Tuning | None
    untuned: list[Cell]

    @property
    def tried(self) -> tuple[Tried, ...]:
        """Everything that tunes."""
        return () if self.tuning is None else self.tuning.tried

    @property
    def all_cells(self) -> list[Cell]:
        """A cell that tuning leaves as it is stands among them twice."""
        return [*self.cells, *self.untuned, *(tried.cell for tried in self.tried)]

    @property
    def beside(self) -> list[Cell]:
        """What is trained untuned too, under names of its own."""
        keys = {cell.key for cell in self.cells}
        return [called_untuned(cell) for cell in self.untuned if cell.key not in keys]

    def undecided(self, records: Mapping[str, Record]) -> set[str]:
        """The variants of which candidates are left to be tried."""
        return set() if self.tuning is None else self.tuning.undecided(records)

    def at_most(self, records: Mapping[str, Record]) -> Iterator[Cell]:
        """All that may have to be trained: of what is not decided, each cell tuned and untuned."""
        undecided = self.undecided(records)
        yield from (tried.cell for tried in self.tried)
        yield from self.cells
        yield from self.beside
        yield from (cell for cell in self.untuned if plain_name(cell) in undecided)


def plan_all(
    experiment: Experiment,
    plan: CheckedPlan,
    added: Mapping[str, int],
    results: Path,
    records: Mapping[str, Record],
) -> Planned:
    """Every cell, where so many seeds are added for some variants and so much is in the journal."""
    cells = planned_cells(experiment, plan, added, results)
    tuning = tuning_of(experiment, plan)
    if tuning is None:
        return Planned(plan, cells, None, [])
    tuned = tuning.tuned(plan, records)
    return Planned(tuned, planned_cells(experiment, tuned, added, results), tuning, cells)


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

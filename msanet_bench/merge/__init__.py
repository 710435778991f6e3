"""Results folders of one experiment brought together in another: of shards, or of machines. Loads no torch.

Nothing is trained, averaged or lost: every attempt of every folder stands in the journal of the new one, and
its records and tables are made from that journal, as a sweep makes them.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from msanet_bench.errors import ResultsError
from msanet_bench.finished import PlannedCell, finished_cells
from msanet_bench.journal import Attempt, no_writer, sole_writer
from msanet_bench.merge.agreement import all_attempts, require_one_experiment, require_same_numbers
from msanet_bench.merge.notes import notes_of
from msanet_bench.merge.sources import Source, read_source, read_target
from msanet_bench.merge.writing import write_merged


@dataclass(frozen=True, slots=True)
class Merged:
    """What the merged folder holds.

    Attributes:
        statuses: How many planned cells ended in which way; `missing` are those without a record.
        notes: What a reader of the merged results should know.
    """

    statuses: Counter[str]
    notes: tuple[str, ...]


def merge(folders: Sequence[Path], out: Path) -> Merged:
    """Bring results folders together in `out`; what it holds of the same experiment stays in it.

    Raises:
        ResultsError: they are not results of one experiment on the same data, they contradict each other, or
            a sweep holds one of them; nothing was written.
    """
    _require_places(folders, out)
    with ExitStack() as locks:
        for folder in folders:
            locks.enter_context(no_writer(folder))
        sources = [read_source(folder) for folder in folders]
        # before the lock, which makes the folder
        _require_agreement([*read_target(out, sources), *sources])
        locks.enter_context(sole_writer(out))
        # what is in the folder comes first: its latencies stay
        sources = [*read_target(out, sources), *sources]
        _require_agreement(sources)
        attempts = all_attempts(sources)
        notes = tuple(notes_of(sources, attempts))
        write_merged(out, sources, attempts)
    return Merged(_statuses(sources[0].cells, attempts), notes)


def _require_places(folders: Sequence[Path], out: Path) -> None:
    """The output is no input and lies in none: inputs are never written to."""
    target = out.resolve()
    for folder in folders:
        if target.is_relative_to(folder.resolve()):
            raise ResultsError(
                f"{out}: must be a folder of its own, but is {folder}, which is merged, or lies in it. "
                "Give another folder with --out."
            )


def _statuses(cells: Sequence[PlannedCell], attempts: Sequence[Attempt]) -> Counter[str]:
    statuses = Counter[str](attempt.record.status for attempt in finished_cells(cells, attempts))
    statuses["missing"] = len(cells) - statuses.total()
    return statuses


def _require_agreement(sources: Sequence[Source]) -> None:
    for other in sources[1:]:
        require_one_experiment(sources[0], other)
    require_same_numbers(sources, all_attempts(sources))

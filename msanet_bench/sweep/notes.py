"""What a reader should know of the records that a sweep finds when it begins."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msanet_bench.plan import Cell
from msanet_bench.records import Record
from msanet_bench.shard import Shard, shard_words


def journal_notes(
    torn: int, records: Mapping[str, Record], cells: Sequence[Cell], today: Mapping[str, Any]
) -> Iterator[str]:
    """A torn line, cells that are not planned any more, records that came about otherwise than today's."""
    if torn:
        yield f"the journal ended in half a line ({torn} bytes), which is cut off: its cell is trained again."
    yield from orphans_note(records, cells)
    planned = {cell.key for cell in cells}
    kept = [record.provenance for key, record in records.items() if key in planned]
    for name, now in today.items():
        others = sum(provenance.get(name) != now for provenance in kept)
        if others:
            yield f"{others} finished cells had another {name} than now ({now}); their records say which."


def shard_notes(shard: Shard | None, seeds: Sequence[int]) -> Iterator[str]:
    """Which cells are trained here, if not all."""
    if shard is not None:
        yield shard_words(shard, seeds)
        yield "a shard is not timed: `sweep` measures latencies in the folder that `merge` makes of all."


def orphans_note(finished: Collection[str], cells: Iterable[Cell]) -> Iterator[str]:
    """How many finished cells, by their keys, an edited plan has no more."""
    orphans = len(set(finished) - {cell.key for cell in cells})
    if orphans:
        yield f"{orphans} cells of the journal are not in this plan: kept there, not in the tables."

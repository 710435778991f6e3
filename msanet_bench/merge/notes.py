"""What is said of a merge: what was left out, what is mixed, whose latencies are kept."""

from collections import Counter
from collections.abc import Iterator, Sequence

from msanet_bench.finished import finished_cells
from msanet_bench.journal import Attempt
from msanet_bench.merge.sources import Source
from msanet_bench.session.files import LATENCY

# What accuracies depend on beside a cell's key; a report refuses to mix them unless asked.
_ENVIRONMENT = ("torch", "device", "threads", "code")


def notes_of(sources: Sequence[Source], attempts: Sequence[Attempt]) -> Iterator[str]:
    """What a reader of the merged results should know."""
    for source in sources:
        if source.torn:
            yield f"{source.folder}: half a line ends its journal ({source.torn} bytes): it is left out."
    yield from _strays(sources[0], attempts)
    yield from _mixed(sources[0], attempts)
    yield from _profiles(sources)
    yield from _latencies([source for source in sources if source.has_latency])


def _strays(source: Source, attempts: Sequence[Attempt]) -> Iterator[str]:
    planned = {cell.key for cell in source.cells}
    strays = len({attempt.record.key for attempt in attempts} - planned)
    if strays:
        yield f"{strays} cells of the journals are not in the plan: kept in the journal, not in the tables."


def _mixed(source: Source, attempts: Sequence[Attempt]) -> Iterator[str]:
    records = [attempt.record for attempt in finished_cells(source.cells, attempts)]
    for name in _ENVIRONMENT:
        values = Counter(str(record.provenance.get(name)) for record in records if record.status == "ok")
        if len(values) > 1:
            counted = ", ".join(f"{value}: {number}" for value, number in values.items())
            yield f"not all cells have the same {name} ({counted}): `report` asks for --mixed."


def _profiles(sources: Sequence[Source]) -> Iterator[str]:
    paths = [path for source in sources if (path := source.folder / "profile.json").exists()]
    for path in paths[1:]:
        if path.read_bytes() != paths[0].read_bytes():
            yield f"{path}: has other costs than {paths[0]}, which are kept."


def _latencies(measured: Sequence[Source]) -> Iterator[str]:
    for other in measured[1:]:
        first = measured[0]
        if (other.folder / LATENCY).read_bytes() != (first.folder / LATENCY).read_bytes():
            is_alike = other.manifest["environment"] == first.manifest["environment"]
            where = "a machine like it" if is_alike else "another machine"
            yield f"latencies are those of {first.folder}; those of {other.folder}, {where}, stay there."

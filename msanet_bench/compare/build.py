"""Folders in, a comparison out."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msanet_bench.compare.accuracy import accuracy_table
from msanet_bench.compare.costs import EXACT, contradictions, cost_table
from msanet_bench.compare.document import Comparison, Note, Table
from msanet_bench.compare.latency import latency_notes, latency_tables
from msanet_bench.compare.outcomes import images
from msanet_bench.compare.sides import Side, read_side
from msanet_bench.records import Record

# What accuracies depend on beside the settings, as records name it.
_MACHINE = {"torch": "versions of torch", "device": "devices", "threads": "numbers of threads"}


def compare(sides: Mapping[str, Path], *, delta: float | None = None, force: bool = False) -> Comparison:
    """Compare results folders, or files of records, with the first of them.

    Args:
        sides: Where the tables are, by label; the base first.
        delta: The smallest difference of accuracies that matters; by default what the base declares.
        force: Show ratios of latencies of different machines too.

    Raises:
        ResultsError: a file cannot be read.
    """
    base, *heads = (read_side(label, path) for label, path in sides.items())
    smallest = base.delta if delta is None else delta
    variants = list(dict.fromkeys(name for side in (base, *heads) for name in side.cells))
    latencies = latency_tables(base, heads, variants, force=force)
    tables = [
        accuracy_table(base, heads, variants, smallest),
        *(cost_table(metric, base, heads, variants) for metric in EXACT),
        *latencies,
    ]
    return Comparison(
        paths={side.label: side.path for side in (base, *heads)},
        delta=smallest,
        tables=tuple(table for table in tables if _says_something(table)),
        notes=(*_notes(base, heads, delta), *latency_notes(base, heads, latencies, force=force)),
    )


def _says_something(table: Table) -> bool:
    """Whether a side has a value, or there is a reason why neither has one."""
    return any(
        entry.base is not None or entry.head is not None or entry.mark or entry.reason
        for _, _, entry in table.entries()
    )


def _notes(base: Side, heads: Sequence[Side], delta: float | None) -> Iterator[Note]:
    for head in heads:
        yield from (Note("error", text) for text in contradictions(base, head))
        yield from _images_notes(base, head)
        yield from _machine_notes(base, head)
        if delta is None and base.delta is not None and head.delta not in {None, base.delta}:
            yield Note("note", f"{head.label} declares another delta than {base.label}, whose counts here.")


def _images_notes(base: Side, head: Side) -> Iterator[Note]:
    before, after = ({images(r) for r in _records(side) if r.status == "ok"} for side in (base, head))
    pair = f"{base.label} and {head.label}"
    what = "digest or number of test images"
    if before and after and not before & after:
        yield Note("warning", f"the data of {pair} differ ({what}), so no accuracies are compared.")
    elif before and after and before != after:
        yield Note("warning", f"some data of {pair} differ ({what}): those accuracies are not compared.")


def _machine_notes(base: Side, head: Side) -> Iterator[Note]:
    for name, title in _MACHINE.items():
        before, after = _values(name, base), _values(name, head)
        if len({*before, *after}) > 1:
            yield Note(
                "note",
                f"several {title} ({base.label}: {', '.join(before) or '-'}; "
                f"{head.label}: {', '.join(after) or '-'}): differences may come from that in part.",
            )


def _values(name: str, side: Side) -> list[str]:
    return list(dict.fromkeys(str(r.provenance.get(name, "not recorded")) for r in _records(side)))


def _records(side: Side) -> Iterator[Record]:
    for cells in side.cells.values():
        yield from cells.values()

"""The tables of exact costs: parameters and multiply-accumulates, and what contradicts itself."""

import math
from collections.abc import Sequence
from dataclasses import replace

from msanet_bench.compare.document import MACS, PARAMS, Column, Entry, Mark, Metric, State, Table
from msanet_bench.compare.footnotes import cost_footnotes
from msanet_bench.compare.outcomes import new_failure
from msanet_bench.compare.sides import Cells, Side, succeeded
from msanet_bench.records import Record

EXACT = (PARAMS, MACS)


def cost_table(metric: Metric, base: Side, heads: Sequence[Side], variants: Sequence[str]) -> Table:
    """One exact cost of every variant, as head/base - 1."""
    columns = [
        Column(
            head=head.label,
            entries=tuple(_row(metric, base.cells.get(name), head.cells.get(name)) for name in variants),
        )
        for head in heads
    ]
    table = with_geomeans(Table(metric, "", tuple(variants), tuple(columns)))
    return replace(table, footnotes=tuple(cost_footnotes(table)))


def with_geomeans(table: Table) -> Table:
    """The table with a last row: the geometric mean of the ratios of each column, if all are positive."""
    columns = tuple(replace(column, summary=_geomean(column.entries)) for column in table.columns)
    has_any = any(column.summary for column in columns)
    return replace(table, columns=columns, summary="geomean" if has_any else "")


def contradictions(base: Side, head: Side) -> list[str]:
    """Variants with cells of the same key, the same settings that is, of which a cost is not the same."""
    known = {record.key: record for cells in base.cells.values() for record in succeeded(cells).values()}
    found = [
        f"`{name}`: the same settings must cost the same, but of {metric.title} {base.label} has "
        f"{values[0]:,} and {head.label} {values[1]:,}."
        for name, cells in head.cells.items()
        for record in succeeded(cells).values()
        if record.key in known
        for metric in EXACT
        for values in (_both(metric, known[record.key], record),)
        if len(set(values)) > 1
    ]
    return list(dict.fromkeys(found))


def change_of(base: float | None, head: float | None) -> float | None:
    """head/base - 1; None where a side has no value or the base is 0 and the head is not."""
    if base is None or head is None:
        return None
    if base == head:
        return 0.0
    return (head - base) / base if base else None


def cheaper(change: float) -> Mark:
    """The mark of an exact change of a cost."""
    return "=" if change == 0 else "better" if change < 0 else "worse"


def _row(metric: Metric, base: Cells | None, head: Cells | None) -> Entry:
    before, after = _exact(metric, base), _exact(metric, head)
    if base is None or head is None:
        state: State = "missing" if base else "new" if head else "absent"
        return Entry(state, before, after)
    change = change_of(before, after)
    if change is None:
        has_failed = not succeeded(base) or not succeeded(head)
        reason = "" if has_failed else "not counted, or not the same for all seeds"
        failure = new_failure(base, head) if has_failed else ""
        return Entry("failed" if has_failed else "both", before, after, failure=failure, reason=reason)
    return Entry("both", before, after, change, method="exact", mark=cheaper(change))


def _both(metric: Metric, *records: Record) -> list[float]:
    """The values of those that have one."""
    return [record.measures[metric.name].value for record in records if metric.name in record.measures]


def _exact(metric: Metric, cells: Cells | None) -> float | None:
    """The value of all seeds; None where one has none or they disagree."""
    records = succeeded(cells or {}).values()
    values = {record.measures[metric.name].value for record in records if metric.name in record.measures}
    return values.pop() if len(values) == 1 else None


def _geomean(entries: Sequence[Entry]) -> Entry | None:
    ratios = [1 + entry.change for entry in entries if entry.change is not None]
    if not ratios or min(ratios) <= 0:
        return None
    change = math.exp(math.fsum(map(math.log, ratios)) / len(ratios)) - 1
    return Entry("both", change=change, counts=(len(ratios),))

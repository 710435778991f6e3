"""The table of accuracies: differences of paired seeds, each row by its own deviation."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from msanet_bench.analysis.contrasts import Contrast, mean_interval, t_interval
from msanet_bench.analysis.fixed_networks import discordant, mcnemar_exact
from msanet_bench.analysis.unpaired import welch
from msanet_bench.analysis.verdicts import equivalence_p, holm, p_value
from msanet_bench.compare.document import ACCURACY, ALPHA, Column, Entry, Interval, Mark, State, Table
from msanet_bench.compare.footnotes import accuracy_footnotes
from msanet_bench.compare.outcomes import (
    accuracy,
    answer_alike,
    images,
    new_failure,
    pairs_of,
    reason_of,
    resolution,
)
from msanet_bench.compare.sides import Cells, Place, Side, succeeded
from msanet_bench.records import Record

OTHER_IMAGES = "the images differ"


@dataclass(frozen=True, slots=True)
class _Tested:
    """An entry and the contrast behind it; None where there is no interval or nothing to test."""

    entry: Entry
    contrast: Contrast | None = None


def accuracy_table(base: Side, heads: Sequence[Side], variants: Sequence[str], delta: float | None) -> Table:
    """Every variant of every head against the base, in percentage points."""
    columns = tuple(_column(base, head, variants, delta) for head in heads)
    has_mean = any(column.summary for column in columns)
    table = Table(ACCURACY, "", tuple(variants), columns, "mean of the rows" if has_mean else "")
    return replace(table, footnotes=tuple(accuracy_footnotes(table, delta)))


def _column(base: Side, head: Side, variants: Sequence[str], delta: float | None) -> Column:
    rows = [_row(base.cells.get(name), head.cells.get(name)) for name in variants]
    adjusted = holm([_p_of(row) for row in rows])
    tested = sum(row.contrast is not None for row in rows)
    entries = [_judged(row, p, tested, delta) for row, p in zip(rows, adjusted, strict=True)]
    summary = _mean_row(base, head, [n for n, e in zip(variants, entries, strict=True) if _is_paired(e)])
    return Column(
        head=head.label,
        entries=tuple(entries),
        summary=None if summary is None else _judged(summary, _p_of(summary), 1, delta),
    )


def _row(base: Cells | None, head: Cells | None) -> _Tested:
    if base is None or head is None:
        state: State = "missing" if base else "new" if head else "absent"
        return _Tested(Entry(state, _mean(base), _mean(head)))
    before, after = succeeded(base), succeeded(head)
    failure = new_failure(base, head)
    if not before or not after:
        reason = reason_of(base if after else head)
        return _Tested(Entry("failed", _mean(base), _mean(head), failure=failure, reason=reason))
    if base.keys() & head.keys():
        row = _paired(before, after)
    else:
        row = _unpaired(list(before.values()), list(after.values()))
    entry = replace(row.entry, failure=failure)
    if entry.mark == "x":
        entry = replace(entry, base=_mean(base), head=_mean(head))
    return replace(row, entry=entry)


def _paired(before: Mapping[Place, Record], after: Mapping[Place, Record]) -> _Tested:
    pairs = list(pairs_of(before, after).values())
    if not pairs:
        reason = OTHER_IMAGES if before.keys() & after.keys() else "no seed succeeded in both"
        return _Tested(Entry("both", mark="x", reason=reason))
    entry = replace(
        _entry([(accuracy(a), accuracy(b)) for a, b in pairs]),
        left_out=len(before) + len(after) - 2 * len(pairs),
    )
    if answer_alike(pairs):
        return _Tested(_identical(entry))
    if len(pairs) > 1:
        changes = [accuracy(b) - accuracy(a) for a, b in pairs]
        return _Tested(entry, _of_changes(changes, resolution([r for pair in pairs for r in pair])))
    first, second = pairs[0]
    if first.correct and second.correct:
        p = mcnemar_exact(discordant(first.correct_bits(), second.correct_bits()))
        return _Tested(replace(entry, p_alone=p, method="fixed networks"))
    return _Tested(entry)


def _unpaired(before: Sequence[Record], after: Sequence[Record]) -> _Tested:
    both = {images(record) for record in before} & {images(record) for record in after}
    if not both:
        return _Tested(Entry("both", mark="x", reason=OTHER_IMAGES))
    kept = [[record for record in side if images(record) in both] for side in (before, after)]
    base, head = ([accuracy(record) for record in side] for side in kept)
    contrast = welch(base, head, least_sd=resolution([*kept[0], *kept[1]]) / math.sqrt(2))
    entry = Entry(
        state="both",
        base=mean_interval(base).mean,
        head=mean_interval(head).mean,
        change=contrast.estimate,
        counts=(len(base), len(head)),
        method="unpaired",
        left_out=len(before) + len(after) - len(base) - len(head),
    )
    return _Tested(entry, contrast if contrast.has_interval else None)


def _mean_row(base: Side, head: Side, variants: Sequence[str]) -> _Tested | None:
    """The mean of the paired rows, over the seeds that all of them have: one value a seed."""
    rows = [pairs_of(succeeded(base.cells[name]), succeeded(head.cells[name])) for name in variants]
    places = [place for place in (rows[0] if rows else {}) if all(place in row for row in rows)]
    if len(rows) < 2 or len(places) < 2:  # noqa: PLR2004 - one row or one seed has no mean of its own
        return None
    of_seeds = [[row[place] for row in rows] for place in places]
    means = [
        (
            mean_interval([accuracy(a) for a, _ in seed]).mean,
            mean_interval([accuracy(b) for _, b in seed]).mean,
        )
        for seed in of_seeds
    ]
    entry, pairs = _entry(means), [pair for seed in of_seeds for pair in seed]
    if answer_alike(pairs):
        return _Tested(_identical(entry))
    least_sd = resolution([record for pair in pairs for record in pair]) / math.sqrt(len(rows))
    return _Tested(entry, _of_changes([b - a for a, b in means], least_sd))


def _entry(pairs: Sequence[tuple[float, float]]) -> Entry:
    """What pairs of accuracies say before any test."""
    return Entry(
        state="both",
        base=mean_interval([a for a, _ in pairs]).mean,
        head=mean_interval([b for _, b in pairs]).mean,
        change=mean_interval([b - a for a, b in pairs]).mean,
        counts=(len(pairs),),
        method="paired",
    )


def _identical(entry: Entry) -> Entry:
    return replace(entry, change=0.0, interval=Interval(0, 0), method="identical")


def _judged(row: _Tested, p: float, tested: int, delta: float | None) -> Entry:
    """The entry with what its contrast says, beside so many others."""
    entry, contrast = row.entry, row.contrast
    known = None if math.isnan(p) else p
    if entry.method == "identical":
        return replace(entry, together=entry.interval, mark="=")
    if contrast is None:
        return replace(entry, p=known)
    wide = t_interval(contrast.estimate, contrast.se, contrast.df, confidence=1 - ALPHA / tested)
    small = None if delta is None else equivalence_p(contrast, delta)
    return replace(
        entry,
        interval=Interval(contrast.low, contrast.high),
        together=Interval(wide.low, wide.high),
        p=known,
        p_alone=p_value(contrast),
        p_equivalence=small,
        mark=_mark(contrast.estimate, p < ALPHA, small),
    )


def _mark(change: float, is_real: bool, p_equivalence: float | None) -> Mark:  # noqa: FBT001
    if p_equivalence is not None and p_equivalence < ALPHA:
        return "="
    if not is_real:
        return "~"
    return "better" if change > 0 else "worse"


def _p_of(row: _Tested) -> float:
    if row.contrast is not None:
        return p_value(row.contrast)
    return math.nan if row.entry.p_alone is None else row.entry.p_alone


def _of_changes(changes: Sequence[float], least_sd: float) -> Contrast:
    found = mean_interval(changes)
    return t_interval(found.mean, max(found.sd, least_sd) / math.sqrt(found.n), found.n - 1)


def _is_paired(entry: Entry) -> bool:
    return entry.is_compared and entry.method != "unpaired"


def _mean(cells: Cells | None) -> float | None:
    values = [accuracy(record) for record in succeeded(cells or {}).values()]
    return mean_interval(values).mean if values else None

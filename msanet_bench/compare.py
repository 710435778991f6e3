"""Two result tables side by side: the differences between paired cells.

The grammar is that of Go's benchstat: one row a variant, `~` where the interval contains 0.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from msanet_bench.analysis.contrasts import MeanInterval, mean_interval
from msanet_bench.records import Record, read_records

State = Literal["both", "missing", "new"]
_Place = tuple[int, int]
_Cells = Mapping[_Place, Record]

_HEADER = ("variant", "base, %", "head, %", "difference, pp", "", "n", "params", "MACs")
_GAP = 2
# What accuracies depend on beside the settings, as records name it.
_MACHINE: Mapping[str, str] = {
    "torch": "versions of torch",
    "device": "devices",
    "threads": "numbers of threads",
}
_STATES: Mapping[State, str] = {"both": "not comparable", "missing": "missing", "new": "new"}


@dataclass(frozen=True, slots=True)
class Exact:
    """A count of both sides; None where a side has none, or cells that disagree."""

    base: float | None
    head: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One variant.

    Attributes:
        state: In both tables, `missing` from the head, or `new` in it.
        base: Mean accuracy over the paired cells; over all of the base where there is no pair.
        head: The same of the head.
        difference: Head minus base over the paired cells; None where there is no pair.
        unpaired: How many successful cells of either side have no partner.
    """

    variant: str
    state: State
    base: float | None
    head: float | None
    difference: MeanInterval | None
    params: Exact
    macs: Exact
    unpaired: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two result tables by their names; `notes` say what was not compared and why."""

    base: str
    head: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def is_comparable(self) -> bool:
        """Whether at least one variant could be compared."""
        return any(row.difference is not None for row in self.rows)


def compare(base: Path, head: Path) -> Comparison:
    """Pair the successful cells of two results folders by variant, seed and replicate.

    Raises:
        ResultsError: the records of a folder cannot be read.
    """
    before, after = _by_variant(read_records(base)), _by_variant(read_records(head))
    names = dict.fromkeys([*before, *after])
    rows = tuple(_row(name, before.get(name), after.get(name)) for name in names)
    notes = (*_images_notes(before, after), *_machine_notes(before, after), *_pairing_notes(rows))
    return Comparison(str(base), str(head), rows, notes)


def render_text(comparison: Comparison, width: int) -> str:
    """An aligned table in ASCII; long names take several lines of the first column."""
    lines = [_HEADER, *map(_line, comparison.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADER))]
    rest = sum(widths[1:]) + _GAP * len(widths[1:])
    # A change is never broken inside: a narrow terminal wraps the line instead.
    longest_change = max(len(part) + 1 for line in lines for part in line[0].split(","))
    widths[0] = min(widths[0], max(longest_change, width - rest))
    table = [text for line in lines for text in _aligned(line, widths)]
    notes = [f"note: {note}" for note in comparison.notes]
    head = [f"base: {comparison.base}", f"head: {comparison.head}", ""]
    return "\n".join([*head, *table, *([""] if notes else []), *notes]) + "\n"


def _by_variant(records: Sequence[Record]) -> dict[str, dict[_Place, Record]]:
    variants: dict[str, dict[_Place, Record]] = {}
    for record in records:
        cells = variants.setdefault(record.variant, {})
        if record.status == "ok":
            cells[record.seed, record.replicate] = record
    return variants


def _row(variant: str, base: _Cells | None, head: _Cells | None) -> Row:
    before, after = base or {}, head or {}
    pairs = [place for place in before if place in after and _images(before[place]) == _images(after[place])]
    changes = [_accuracy(after[place]) - _accuracy(before[place]) for place in pairs]
    return Row(
        variant=variant,
        state="missing" if head is None else "new" if base is None else "both",
        base=_mean([before[place] for place in pairs] or before.values()),
        head=_mean([after[place] for place in pairs] or after.values()),
        difference=mean_interval(changes) if changes else None,
        params=Exact(_exact("params", before), _exact("params", after)),
        macs=Exact(_exact("macs", before), _exact("macs", after)),
        unpaired=len(before) + len(after) - 2 * len(pairs),
    )


def _images(record: Record) -> tuple[Any, int]:
    """What must be the same for two accuracies to be about the same images."""
    return record.provenance.get("data_digest"), record.test_images


def _accuracy(record: Record) -> float:
    return record.measures["accuracy"].value


def _mean(records: Iterable[Record]) -> float | None:
    values = [_accuracy(record) for record in records]
    return mean_interval(values).mean if values else None


def _exact(measure: str, cells: _Cells) -> float | None:
    values = {record.measures[measure].value for record in cells.values() if measure in record.measures}
    return values.pop() if len(values) == 1 else None


def _images_notes(base: Mapping[str, _Cells], head: Mapping[str, _Cells]) -> Iterator[str]:
    before, after = ({_images(r) for cells in side.values() for r in cells.values()} for side in (base, head))
    if before and after and not before & after:
        yield "the data differ (digest or number of test images), so no accuracies are compared."
    elif before != after:
        yield "some data differ (digest or number of test images): those accuracies are not compared."


def _machine_notes(base: Mapping[str, _Cells], head: Mapping[str, _Cells]) -> Iterator[str]:
    for name, title in _MACHINE.items():
        before, after = _values(name, base), _values(name, head)
        if len({*before, *after}) > 1:
            yield (
                f"several {title} (base: {', '.join(before) or '-'}; head: {', '.join(after) or '-'}): "
                "differences may come from that in part."
            )


def _values(name: str, side: Mapping[str, _Cells]) -> list[str]:
    records = (record for cells in side.values() for record in cells.values())
    return list(dict.fromkeys(str(record.provenance.get(name, "not recorded")) for record in records))


def _pairing_notes(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.state == "both" and row.difference is None:
            yield f"{row.variant}: no seed succeeded in both tables on the same data."
        elif row.state == "both" and row.unpaired:
            yield f"{row.variant}: {row.unpaired} of its results have no partner and are left out."
    if any(row.difference is not None and not row.difference.has_interval for row in rows):
        yield "n=1: one pair gives no interval, so chance cannot be told from a difference."
    if any(row.difference is not None and row.difference.has_interval for row in rows):
        yield "intervals are 95 % t intervals over paired seeds, each for itself; `~`: it contains 0."


def _line(row: Row) -> tuple[str, ...]:
    change = row.difference
    verdict = _difference(change) if change else (_STATES[row.state], "", "")
    return (
        row.variant,
        _percent(row.base),
        _percent(row.head),
        *verdict,
        _ratio(row.params),
        _ratio(row.macs),
    )


def _difference(change: MeanInterval) -> tuple[str, str, str]:
    text = _points(change.mean)
    if not change.has_interval:
        return text, "", "n=1"
    interval = f"[{_points(change.low)}, {_points(change.high)}]"
    return f"{text} {interval}", "" if change.excludes_zero else "~", f"n={change.n}"


def _points(fraction: float) -> str:
    # Adding 0.0 turns a rounded -0.0 into 0.0.
    return f"{round(100 * fraction, 2) + 0.0:+.2f}"


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.2f}"


def _ratio(count: Exact) -> str:
    """`=`, `x0.931`, or `+12` where the ratio would round to 1."""
    if not count.base or count.head is None:
        return "-"
    if count.base == count.head:
        return "="
    ratio = f"x{count.head / count.base:.3f}"
    return ratio if ratio != "x1.000" else f"{count.head - count.base:+,.0f}"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The columns of one row; a name that is too long goes on below, broken after a comma."""
    name, *cells = line
    first, *rest = _wrapped(name, widths[0])
    numbers = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
    yield (" " * _GAP).join([first.ljust(widths[0]), *numbers]).rstrip()
    yield from (f" {part}" for part in rest)


def _wrapped(name: str, width: int) -> list[str]:
    if len(name) <= width:
        return [name]
    lines = textwrap.wrap(name.replace(",", ", "), width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(", ", ",") for line in lines]

"""Limits that a change must not pass, and whether it does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from msanet_bench.compare.document import ACCURACY, LATENCY, METRICS, Comparison, Entry, Metric, Table
from msanet_bench.errors import BenchError

Mode = Literal["regression", "noninferiority"]
Status = Literal["holds", "fails", "not comparable", "inconclusive"]
_Row = Literal["holds", "fails", "not comparable", "inconclusive", "nothing"]

OK, REGRESSION, NOT_COMPARABLE = 0, 1, 3

# of differences and quotients of numbers near 1: a loss of exactly the limit is allowed
_ROUNDING = 1e-12
_EXAMPLES = "accuracy:-0.2pp, latency_p50:+5%, params:0 or macs:+2%"
# The sign of a loss, the units of a limit, an example.
_LOSSES = {
    "accuracy": ("-", ("pp",), "-0.2pp"),
    "params": ("+", ("%", ""), "0 or +2%"),
    "macs": ("+", ("%", ""), "0 or +2%"),
    "latency_p50": ("+", ("%",), "+5%"),
}
_LIMIT = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)\s*(pp|%|)")


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit on how much worse a metric may get.

    Attributes:
        limit: A loss: a fraction for accuracies, head/base - 1 for relative limits, else a count.
        is_relative: Whether a limit of a cost is one of ratios.
    """

    text: str
    metric: Metric
    limit: float
    is_relative: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of a gate, and the rows that decided it, as `variant (head)`."""

    gate: str
    status: Status
    rows: tuple[str, ...]


def parse_gate(text: str) -> Gate:
    """`accuracy:-0.2pp` and the like.

    Raises:
        BenchError: the text is no such limit.
    """
    name, _, limit = text.partition(":")
    metric = next((metric for metric in METRICS if metric.name == name.strip()), None)
    found = _LIMIT.fullmatch(limit.strip())
    if metric is None or found is None:
        raise BenchError(f"--gate: must be METRIC:LIMIT such as {_EXAMPLES}, but got {text!r}.")
    sign, number, unit = found[1], float(found[2]), found[3]
    sense, units, example = _LOSSES[metric.name]
    is_nothing = number == 0 and not unit
    if not is_nothing and (unit not in units or (number and sign != sense and sense + sign != "+")):
        raise BenchError(
            f"--gate: a limit of {metric.name} must be a loss such as {example}, but got {text!r}."
        )
    return Gate(text, metric, number / 100 if unit else number, is_relative=unit == "%" or metric is LATENCY)


def rule(comparison: Comparison, gates: Sequence[Gate], mode: Mode) -> tuple[Ruling, ...]:
    """Every gate over all rows of all tables of its metric."""
    return tuple(_ruling(comparison, gate, mode) for gate in gates)


def exit_code(comparison: Comparison, rulings: Sequence[Ruling], *, strict: bool) -> int:
    """1 if a gate fails, else 3 if something cannot be compared, else 0.

    A regression that was found stays one whatever else could not be compared; what could not be compared is
    no success. With `strict`, what a gate cannot tell counts as not comparable.
    """
    statuses = {ruling.status for ruling in rulings}
    if "fails" in statuses:
        return REGRESSION
    untold = {"not comparable", "inconclusive"} if strict else {"not comparable"}
    return NOT_COMPARABLE if statuses & untold or not comparison.is_comparable else OK


def _ruling(comparison: Comparison, gate: Gate, mode: Mode) -> Ruling:
    tables = [table for table in comparison.tables if table.metric is gate.metric]
    rows = [(name, _judge(gate, entry, mode)) for table in tables for name, entry in _rows(table)]
    for status in ("fails", "not comparable", "inconclusive"):
        deciding = [name for name, found in rows if found == status]
        if deciding:
            return Ruling(gate.text, status, tuple(deciding))
    is_judged = any(found == "holds" for _, found in rows)
    return Ruling(gate.text, "holds" if is_judged else "not comparable", ())


def _rows(table: Table) -> Iterator[tuple[str, Entry]]:
    """The rows that a gate judges: all variants, and the mean of accuracies."""
    where = f", {table.condition}" if table.condition else ""
    for head, variant, entry in table.entries():
        yield f"{variant} ({head}{where})", entry
    for column in table.columns:
        if table.metric is ACCURACY and column.summary is not None:
            yield f"{table.summary} ({column.head})", column.summary


def _judge(gate: Gate, entry: Entry, mode: Mode) -> _Row:
    if entry.state in {"new", "absent"} or entry.base is None:
        return "nothing"
    if entry.mark == "x":
        return "not comparable"
    if gate.metric is ACCURACY and entry.failure == "!":
        return "fails"
    if mode == "noninferiority":
        return "holds" if _is_within(gate, entry) else "fails"
    if _is_beyond(gate, entry):
        return "fails"
    return "holds" if _is_within(gate, entry) else "inconclusive"


def _is_within(gate: Gate, entry: Entry) -> bool:
    """Whether all of the row's own interval is no worse than the limit."""
    losses = _losses(gate, entry, entry.interval)
    return losses is not None and max(losses) <= gate.limit + _ROUNDING


def _is_beyond(gate: Gate, entry: Entry) -> bool:
    """Whether all of the interval that holds for all rows at once is worse than the limit."""
    losses = _losses(gate, entry, entry.together)
    return losses is not None and min(losses) > gate.limit + _ROUNDING


def _losses(gate: Gate, entry: Entry, interval: tuple[float, float] | None) -> tuple[float, ...] | None:
    """How much worse it got at least and at most; None where nobody knows."""
    if entry.method == "exact" and entry.base is not None and entry.head is not None:
        return (entry.change or 0.0,) if gate.is_relative else (entry.head - entry.base,)
    if interval is None:
        return None
    return tuple(-end for end in interval) if gate.metric is ACCURACY else tuple(interval)

"""Entries as words: what every format prints of a row, and what the marks mean."""

import math
from collections.abc import Sequence

from msanet_bench.compare.document import ACCURACY, LATENCY, Comparison, Entry, Metric, Table
from msanet_bench.compare.gates import Ruling

ABSENT = "-"
_SMALLEST_P = 0.001
_TWO_DECIMALS = 0.1
_TRUSTED_DECIMALS = 9
_ROWS_NAMED = 4

_CHANGES = {True: "change", False: "difference, pp"}
_LEGEND = {
    "~": "`~` not told apart from no difference",
    "=": "`=` the same",
    "better": "`better`, `worse` told apart",
    "worse": "`better`, `worse` told apart",
    "!": "`!` fails in the head alone",
    "*": "`*` fails in the base alone",
    "x": "`x` not comparable",
}


def change_title(metric: Metric) -> str:
    return _CHANGES[metric.is_cost]


def table_title(table: Table) -> str:
    return f"{table.metric.title}: {table.condition}" if table.condition else table.metric.title


def value_text(metric: Metric, value: float | None) -> str:
    """A value of one side: percent, a whole number or milliseconds."""
    if value is None:
        return ABSENT
    if metric is ACCURACY:
        return f"{100 * value:.2f}"
    return _three_digits(1000 * value) if metric is LATENCY else f"{round(value):,}"


def change_text(metric: Metric, entry: Entry) -> str:
    """`+0.15 [-0.05, +0.35] (p=0.13 n=5)`, `-13.65%`, or why there is no such thing."""
    if entry.change is None:
        return {"both": "not comparable", "absent": ABSENT}.get(entry.state, entry.state)
    parts = [_change(metric, entry)]
    if entry.interval is not None and entry.method != "identical":
        low, high = (_signed(metric, end) for end in entry.interval)
        parts.append(f"[{low}, {high}]")
    evidence = _evidence(metric, entry)
    return " ".join([*parts, f"({evidence})"] if evidence else parts)


def row_texts(table: Table, entries: Sequence[Entry | None]) -> list[str]:
    """The base's value, then the value, the change and the mark of each head.

    Over which seeds the base is a mean depends on the head that it is compared with: where that makes bases
    differ, each stands before its head, as `88.10 -> 88.30`.
    """
    bases = [None if entry is None else entry.base for entry in entries]
    known = {value_text(table.metric, base) for base in bases if base is not None}
    shown = known.pop() if len(known) == 1 else "" if known or _has_no_values(entries) else ABSENT
    return [shown, *(text for entry in entries for text in _texts(table.metric, entry, shown))]


def mark_text(entry: Entry) -> str:
    return " ".join(mark for mark in (entry.mark, entry.failure) if mark)


def legend(comparison: Comparison) -> str:
    """What the marks mean, of those that occur; "" where none does."""
    entries = [entry for table in comparison.tables for _, _, entry in table.entries()]
    entries += [c.summary for table in comparison.tables for c in table.columns if c.summary is not None]
    found = {mark for entry in entries for mark in (entry.mark, entry.failure)}
    meanings = dict.fromkeys(text for mark, text in _LEGEND.items() if mark in found)
    if "=" in found and comparison.delta is not None and any(e.p_equivalence is not None for e in entries):
        within = f"`=` the same, or within delta = {100 * comparison.delta:g} pp by two one-sided tests"
        meanings = dict.fromkeys(within if text == _LEGEND["="] else text for text in meanings)
    return "; ".join(meanings)


def ruling_text(ruling: Ruling) -> str:
    """`gate accuracy:-0.2pp: fails: attention=none (head)`; the first rows stand for many."""
    more = [f"and {len(ruling.rows) - _ROWS_NAMED} more"] if len(ruling.rows) > _ROWS_NAMED else []
    rows = ", ".join([*ruling.rows[:_ROWS_NAMED], *more])
    return f"gate {ruling.gate}: {ruling.status}{f': {rows}' if rows else ''}"


def gates_footnote(rulings: Sequence[Ruling], mode: str) -> str:
    """What a gate asks; "" without one."""
    if not rulings:
        return ""
    if mode == "noninferiority":
        return "a gate holds where the interval of every row excludes a loss beyond the limit."
    return (
        "a gate fails where all of a row's interval lies beyond the limit; those of accuracies so wide that "
        "all rows hold at once."
    )


def _has_no_values(entries: Sequence[Entry | None]) -> bool:
    """Whether the row is a mean of ratios, which has none."""
    return all(entry is None or (entry.is_compared and entry.head is None) for entry in entries)


def _texts(metric: Metric, entry: Entry | None, shown: str) -> tuple[str, str, str]:
    if entry is None:
        return "", ABSENT, ""
    head = "" if _has_no_values([entry]) else value_text(metric, entry.head)
    is_apart = entry.base is not None and value_text(metric, entry.base) != shown
    value = f"{value_text(metric, entry.base)} -> {head}" if is_apart else head
    return value, change_text(metric, entry), mark_text(entry)


def _change(metric: Metric, entry: Entry) -> str:
    """The change; where it would round to nothing and is exact, how many more."""
    text = _signed(metric, entry.change or 0.0)
    if entry.change and entry.method == "exact" and text == _signed(metric, 0.0):
        return f"{round((entry.head or 0) - (entry.base or 0)):+,}"
    return text


def _signed(metric: Metric, change: float) -> str:
    # Adding 0.0 turns a rounded -0.0 into 0.0; the last bits of two machines may differ.
    rounded = round(round(100 * change, _TRUSTED_DECIMALS), 2) + 0.0
    return f"{rounded:+.2f}%" if metric.is_cost else f"{rounded:+.2f}"


def _evidence(metric: Metric, entry: Entry) -> str:
    if metric.is_cost:
        return ""
    n = f"n={'+'.join(map(str, entry.counts))}"
    if entry.method == "identical":
        return f"identical {n}"
    if entry.p is None:
        return n
    name = "McNemar " if entry.method == "fixed networks" else ""
    return f"{name}{_p(entry.p)} {n}"


def _p(p: float) -> str:
    if p < _SMALLEST_P:
        return f"p<{_SMALLEST_P}"
    return f"p={p:.3f}" if p < _TWO_DECIMALS else f"p={p:.2f}"


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    rounded = float(f"{value:.2e}")
    return f"{rounded:,.{max(2 - math.floor(math.log10(rounded)), 0)}f}"

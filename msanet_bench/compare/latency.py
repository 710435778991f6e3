"""The tables of latency: two sessions, so two processes, side by side."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from msanet_bench.analysis.two_sessions import level_reach
from msanet_bench.compare.costs import change_of, with_geomeans
from msanet_bench.compare.document import LATENCY, Column, Entry, Interval, Mark, Note, State, Table
from msanet_bench.compare.footnotes import cost_footnotes
from msanet_bench.compare.sides import Side
from msanet_bench.compare.timings import Condition, Session, Timing

# What two processes of unchanged code differ by at most on the machine of docs/measuring.md, however their
# networks are placed.
PROCESSES = 0.03
OTHER_MACHINE = "measured on other hardware or versions"

_HOST = ("cpu", "cores", "torch")
_CUDA = ("cuda_device", "cuda", "torch")
_NAMES = {"cpu": "processor", "cuda_device": "GPU", "cuda": "CUDA", "cores": "cores", "torch": "torch"}


@dataclass(frozen=True, slots=True)
class _Pairing:
    """Two sessions under one condition."""

    base: Session
    head: Session
    condition: Condition
    is_refused: bool

    @property
    def is_same(self) -> bool:
        return self.base.identity == self.head.identity


def latency_tables(base: Side, heads: Sequence[Side], variants: Sequence[str], *, force: bool) -> list[Table]:
    """One table a condition under which the base and a head were measured."""
    return [
        _table(condition, base, heads, variants, force)
        for condition in base.session.timings
        if _is_measured(base.session, condition)
        and any(_is_measured(head.session, condition) for head in heads)
    ]


def latency_notes(
    base: Side, heads: Sequence[Side], tables: Sequence[Table], *, force: bool
) -> Iterator[Note]:
    """What two sessions can tell, what of latency is not compared, and why."""
    for head in heads:
        yield from _machine_notes(base, head, force=force)
        yield from _missing_notes(base, head)
    entries = [entry for table in tables for _, _, entry in table.entries()]
    compared = [entry for entry in entries if entry.method == "two sessions"]
    if compared:
        yield Note(
            "note",
            "two sessions are two processes, and these differ by 1 to 3 % even with unchanged code (see "
            f"docs/measuring.md): only what lies beyond {100 * PROCESSES:g} % is told apart. One session of "
            "both sees more: msanet-bench latency --against. Intervals are of the noise within the sessions, "
            "95 %, each for itself.",
        )
    if any(entry.interval is None for entry in compared):
        yield Note("note", "a session of one super-round does not know its own noise: no interval.")


def _table(
    condition: Condition,
    base: Side,
    heads: Sequence[Side],
    variants: Sequence[str],
    force: bool,  # noqa: FBT001
) -> Table:
    columns = []
    sessions = [side.session.timings.get(condition, {}) for side in (base, *heads)]
    timed = [name for name in variants if any(name in timings for timings in sessions)]
    for head in heads:
        differs = bool(_differences(base.session, head.session, condition))
        pairing = _Pairing(base.session, head.session, condition, differs and not force)
        columns.append(Column(head.label, tuple(_row(pairing, name) for name in timed)))
    table = with_geomeans(Table(LATENCY, condition.title, tuple(timed), tuple(columns)))
    return replace(table, footnotes=tuple(cost_footnotes(table)))


def _row(pairing: _Pairing, variant: str) -> Entry:
    sessions = pairing.base, pairing.head
    before, after = (session.timings.get(pairing.condition, {}).get(variant) for session in sessions)
    if pairing.condition not in pairing.head.timings:
        return Entry("absent", before and before.p50)
    if before is None or after is None:
        state: State = "missing" if before else "new" if after else "absent"
        return Entry(state, before and before.p50, after and after.p50)
    entry = Entry("both", before.p50, after.p50, counts=(before.visits, after.visits))
    if pairing.is_refused:
        return replace(entry, mark="x", reason=OTHER_MACHINE)
    change = change_of(before.p50, after.p50)
    if change is None:
        reason = after.status or before.status or "too few visits for a median"
        return replace(entry, state="failed" if before.status or after.status else "both", reason=reason)
    if pairing.is_same:
        same = Interval(0, 0)
        return replace(entry, change=0.0, interval=same, together=same, method="identical", mark="=")
    interval = _interval(change, _reach(pairing, before, after))
    return replace(
        entry,
        change=change,
        interval=interval,
        together=interval,
        method="two sessions",
        mark=_mark(interval),
    )


def _reach(pairing: _Pairing, before: Timing, after: Timing) -> float:
    """Half the interval of the ratio as a logarithm; NaN where a session does not know its own."""
    parts = [
        _own_reach(session, pairing.condition, timing)
        for session, timing in ((pairing.base, before), (pairing.head, after))
    ]
    return math.hypot(*parts)


def _own_reach(session: Session, condition: Condition, timing: Timing) -> float:
    """Of the variant beside the anchor, and of the anchor itself, which drifts."""
    speed = session.speed(condition)
    if speed is None or speed.drift is None or timing.reach is None:
        return math.nan
    used = max(1.0, timing.visits * speed.super_rounds / speed.rounds)
    return math.hypot(timing.reach, level_reach(speed.drift, speed.super_rounds, used))


def _interval(change: float, reach: float) -> Interval | None:
    if math.isnan(reach):
        return None
    ratio = 1 + change
    return Interval(ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1)


def _mark(interval: Interval | None) -> Mark:
    """Told apart where all of the interval lies beyond what two processes differ by anyway."""
    if interval is None:
        return ""
    if interval.low > PROCESSES:
        return "worse"
    return "better" if interval.high < -PROCESSES else "~"


def _differences(base: Session, head: Session, condition: Condition) -> list[str]:
    """In what the machines of two sessions differ; what a session does not say may differ."""
    if base.identity == head.identity:
        return []
    fields = _CUDA if condition.family == "cuda" else _HOST
    found = [(_NAMES[name], base.about.get(name), head.about.get(name)) for name in fields]
    found.append(("threads", _threads(base, condition), _threads(head, condition)))
    return [
        f"{name} {_said(before)} and {_said(after)}"
        for name, before, after in found
        if before is None or before != after
    ]


def _machine_notes(base: Side, head: Side, *, force: bool) -> Iterator[Note]:
    sessions = base.session, head.session
    found = [words for condition in _shared(*sessions) for words in _differences(*sessions, condition)]
    if found:
        facts = "; ".join(dict.fromkeys(found))
        said = f"latencies of {base.label} and {head.label} are of different machines ({facts})"
        rest = (
            "their ratios are those of the machines too" if force else "none is compared; --force shows them"
        )
        yield Note("warning", f"{said}: {rest}.")


def _missing_notes(base: Side, head: Side) -> Iterator[Note]:
    sessions = base.session, head.session
    if any(session.missing for session in sessions):
        if any(session.timings for session in sessions):
            why = "; ".join(f"{s.label}: {s.session.missing}" for s in (base, head) if s.session.missing)
            yield Note("note", f"latencies are not compared ({why}).")
    elif alone := [condition.title for condition in _alone(*sessions)]:
        yield Note("note", f"latencies in one of {base.label} and {head.label} only: {'; '.join(alone)}.")


def _threads(session: Session, condition: Condition) -> str | None:
    numbers = {timing.threads for timing in session.timings.get(condition, {}).values() if timing.threads}
    return ", ".join(sorted(numbers)) or None


def _said(value: object) -> str:
    return "not recorded" if value is None else str(value)


def _shared(base: Session, head: Session) -> list[Condition]:
    return [c for c in base.timings if _is_measured(base, c) and _is_measured(head, c)]


def _alone(base: Session, head: Session) -> list[Condition]:
    conditions = dict.fromkeys([*base.timings, *head.timings])
    return [c for c in conditions if _is_measured(base, c) != _is_measured(head, c)]


def _is_measured(session: Session, condition: Condition) -> bool:
    return any(timing.p50 is not None for timing in session.timings.get(condition, {}).values())

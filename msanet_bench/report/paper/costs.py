"""The columns of costs: parameters, multiply-accumulates, and latency by kind of device."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from msanet_bench.report.latency import DEVICES, main_timings
from msanet_bench.report.numbers import count, fixed, milliseconds, three_digits
from msanet_bench.report.paper.filled import Filled, Shown, fill
from msanet_bench.report.paper.values import Amount, Cell, Column

ELSEWHERE = "latency_elsewhere"

_PREFIXES = (("G", 1e9), ("M", 1e6), ("K", 1e3))


def params(shown: Shown) -> list[Filled]:
    """Parameters, exact in the profile."""
    own = [variant.profile.params if variant.profile else None for variant in shown.variants]
    return [_counted(shown, Column("params", "params"), own, [r.params for r in shown.references])]


def macs(shown: Shown) -> list[Filled]:
    """Multiply-accumulates of one image; None where the count is not complete."""
    own = [variant.profile.macs if variant.profile else None for variant in shown.variants]
    return [_counted(shown, Column("macs", "MACs"), own, [r.macs for r in shown.references])]


def latency(shown: Shown) -> list[Filled]:
    """One column for each kind of device that was measured; what others state has a column of its own.

    Where none was, the first kind stands there without numbers, and a note says why.
    """
    known = shown.findings.inputs.latencies
    measured = [family for family in DEVICES if main_timings(known, family)]
    own = [latency_on(shown, family) for family in measured or list(DEVICES)[:1]]
    is_stated = any(reference.latency_s is not None for reference in shown.references)
    return [*own, *(latency_elsewhere(shown) if is_stated else [])]


def latency_on(shown: Shown, family: str) -> Filled:
    """The latency that the report shows first: of the smallest batch, run eagerly."""
    timings = main_timings(shown.findings.inputs.latencies, family)
    column = Column(latency_column(family), f"{DEVICES[family]} latency", "ms", parts=("_ms",))
    times = {name: timing.latency for name, timing in timings.items()}
    return fill(shown, column, lambda variant: _milliseconds(shown, column, times.get(variant.name)))


def latency_elsewhere(shown: Shown) -> list[Filled]:
    """What others state, never in a column of what was measured here."""
    column = Column(ELSEWHERE, "latency elsewhere", "ms", parts=("_ms",))
    stated = (_milliseconds(shown, column, reference.latency_s) for reference in shown.references)
    return [Filled(column, (None,) * len(shown.variants), tuple(stated))]


def latency_column(family: str) -> str:
    """`latency_cpu`."""
    return f"latency_{family}"


def _counted(
    shown: Shown, column: Column, own: Sequence[float | None], others: Sequence[float | None]
) -> Filled:
    """Counts in the unit of the largest of our own: `params, M`."""
    known = [value for value in own if value is not None] or [value for value in others if value is not None]
    largest = max(known, default=0.0)
    prefix, unit = next(((name, unit) for name, unit in _PREFIXES if largest >= unit), ("", 1.0))
    decimals = shown.decimals.get(column.name)

    def cells(values: Iterable[float | None]) -> tuple[Cell, ...]:
        return tuple(
            None if value is None else Amount(_scaled(value, unit, decimals), str(round(value)))
            for value in values
        )

    return Filled(replace(column, unit=prefix), cells(own), cells(others))


def _scaled(value: float, unit: float, decimals: int | None) -> str:
    if decimals is not None:
        return fixed(value / unit, decimals)
    return count(value) if unit == 1 else three_digits(value / unit)


def _milliseconds(shown: Shown, column: Column, seconds: float | None) -> Cell:
    if seconds is None:
        return None
    decimals = shown.decimals.get(column.name, shown.decimals.get("latency"))
    text = milliseconds(seconds) if decimals is None else fixed(1000 * seconds, decimals)
    return Amount(text, text.replace(",", ""))

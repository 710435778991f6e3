"""Which of the measured latencies stand in the main table, and how a latency is written."""

from collections.abc import Mapping, Sequence

from msanet_bench.report.markdown import escape
from msanet_bench.report.numbers import ABSENT, fixed, plural
from msanet_bench.report.timings import Condition, Latencies, Timing

# The kinds of devices that have a column of their own, and its title: their numbers are never mixed.
DEVICES: Mapping[str, str] = {"cpu": "CPU", "cuda": "CUDA"}

_USUAL_MODE, _USUAL_PRECISION, _USUAL_CACHE = "eager", "fp32_strict", "warm"


def main_timings(latencies: Latencies, family: str) -> dict[str, Timing]:
    """One latency a variant: run eagerly, of the smallest batch, in strict fp32, with warm caches.

    Where a session has none of a kind, the next best of all variants, which `unusual` names.
    """
    measured = [t for t in latencies.timings if t.is_measured and t.condition.family == family]
    if not measured:
        return {}
    first = min(measured, key=_preference)
    return {t.variant: t for t in measured if (t.condition, t.mode) == (first.condition, first.mode)}


def _preference(timing: Timing) -> tuple[bool, int, bool, bool]:
    condition = timing.condition
    return (
        timing.mode != _USUAL_MODE,
        condition.batch,
        condition.precision != _USUAL_PRECISION,
        condition.cache != _USUAL_CACHE,
    )


def unusual(timing: Timing) -> str:
    """`batch 1`, and what else differs from an eager call in strict fp32 with warm caches."""
    condition = timing.condition
    parts = [f"batch {condition.batch}"]
    parts += [timing.mode] if timing.mode != _USUAL_MODE else []
    parts += [condition.precision] if condition.precision != _USUAL_PRECISION else []
    parts += [f"cache {condition.cache}"] if condition.cache != _USUAL_CACHE else []
    return ", ".join(parts)


def why_not_measured(latencies: Latencies, family: str) -> str:
    """The statuses of a kind of device without a single latency."""
    reasons = dict.fromkeys(t.status for t in latencies.timings if t.condition.family == family)
    return ", ".join(reasons) or latencies.missing or "not measured"


def anchor_of(timings: Sequence[Timing], condition: Condition) -> Timing | None:
    """Whom the ratios of a condition are relative to."""
    return next((t for t in timings if t.role == "anchor" and t.condition == condition), None)


def describe(condition: Condition, threads: int | None) -> str:
    """`cpu, batch 1, fp32_strict, cache warm, 1 thread`."""
    parts = [
        condition.device,
        f"batch {condition.batch}",
        condition.precision,
        f"cache {condition.cache}",
    ]
    return escape(", ".join([*parts, *([] if threads is None else [plural(threads, "thread")])]))


def relative(timing: Timing | None) -> str:
    """`0.932 [0.913, 0.951]`: the latency as a multiple of the anchor's; the anchor's own is 1 as such."""
    if timing is None or timing.ratio is None:
        return ABSENT
    if timing.role == "anchor":
        return "1"
    interval = (
        f" [{fixed(timing.ratio_low, 3)}, {fixed(timing.ratio_high, 3)}]" if timing.has_interval else ""
    )
    return f"{fixed(timing.ratio, 3)}{interval}"


def rank(timing: Timing) -> str:
    """`3`, or `2-4` where the networks of these ranks are tied."""
    if timing.rank_low is None or timing.rank_high is None:
        return ABSENT
    alone = timing.rank_low == timing.rank_high
    return str(timing.rank_low) if alone else f"{timing.rank_low}-{timing.rank_high}"


def mode(timing: Timing) -> str:
    """`eager`, and what is not usual for it."""
    layout = [timing.memory_format] if timing.memory_format != "contiguous" else []
    clock = ["kernels queued ahead"] if timing.clock == "queue_ahead" else []
    return f"{timing.mode} ({', '.join([*layout, *clock])})" if layout or clock else timing.mode

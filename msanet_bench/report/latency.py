"""Which of the measured latencies stand in the main table, and how."""

from collections.abc import Mapping, Sequence

from msanet_bench.report.inputs import Timing
from msanet_bench.report.numbers import ABSENT, fixed

# The kinds of devices that have a column of their own, and its title: their numbers are never mixed.
DEVICES: Mapping[str, str] = {"cpu": "CPU", "cuda": "CUDA"}


def main_timings(timings: Sequence[Timing], family: str) -> dict[str, Timing]:
    """One latency a variant: the first setting of the smallest batch on this kind of device."""
    measured = [timing for timing in timings if timing.is_measured and timing.setting.family == family]
    if not measured:
        return {}
    setting = min(measured, key=lambda timing: timing.setting.batch).setting
    return {timing.variant: timing for timing in measured if timing.setting == setting}


def why_not_measured(timings: Sequence[Timing], family: str) -> str:
    """The statuses of a kind of device without a single latency."""
    reasons = dict.fromkeys(timing.status for timing in timings if timing.setting.family == family)
    return ", ".join(reasons) or "not measured"


def relative(timing: Timing | None) -> str:
    """`0.93 [0.91, 0.95]`: the latency as a multiple of the anchor's."""
    if timing is None or timing.ratio is None:
        return ABSENT
    interval = (
        f" [{fixed(timing.ratio_low, 2)}, {fixed(timing.ratio_high, 2)}]" if timing.has_interval else ""
    )
    return f"{fixed(timing.ratio, 2)}{interval}"

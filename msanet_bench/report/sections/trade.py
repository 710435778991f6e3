"""Accuracy against latency as a scatter plot."""

import math
from collections.abc import Mapping

from msanet_bench.report.document import Bar, Point, Scatter
from msanet_bench.report.findings import Findings
from msanet_bench.report.latency import DEVICES, anchor_of, main_timings, unusual
from msanet_bench.report.numbers import bar, milliseconds
from msanet_bench.report.timings import Timing

# With more variants than this, names would cover each other: the figure shows the numbers of the table.
_NAMED = 8
_LONGEST_NAME = 28

HOW_TO_READ = (
    "Up and to the left is better. Bars are 95 % intervals: of the mean over seeds (upright) and of the "
    "ratio of latencies (across). A number is that of the table of variants; a label that would cover "
    "another is left out."
)


def trade(findings: Findings, family: str) -> Scatter | None:
    """One point a variant with an accuracy and a latency on this kind of device; None without any."""
    timings = main_timings(findings.inputs.latencies, family)
    points = _points(findings, timings)
    if not points:
        return None
    first = next(iter(timings.values()))
    anchor = anchor_of(findings.inputs.latencies.timings, first.condition)
    to = f"{first.anchor} ({milliseconds(anchor.latency)} ms)" if anchor else first.anchor
    return Scatter(
        name=f"accuracy_latency_{family}",
        alt=f"Accuracy against latency on {DEVICES[family]}, each with its 95 % interval",
        x_axis=f"{DEVICES[family]} latency, {unusual(first)}, relative to {to}",
        y_axis="test accuracy, %",
        points=points,
    )


def _points(findings: Findings, timings: Mapping[str, Timing]) -> tuple[Point, ...]:
    shown = [v for v in findings.variants if v.name in timings and v.accuracy is not None]
    by_name = len(shown) <= _NAMED and all(len(variant.label) <= _LONGEST_NAME for variant in shown)
    baseline = findings.manifest.baseline
    return tuple(
        Point(
            label=variant.label if by_name or variant.name == baseline else str(variant.number),
            x=Bar(timing.ratio, _or_nan(timing.ratio_low), _or_nan(timing.ratio_high)),
            y=bar(accuracy.mean, accuracy.low, accuracy.high),
            kind="baseline" if variant.name == baseline else "variant",
            name=variant.name,
        )
        for variant in shown
        if (accuracy := variant.accuracy) and (timing := timings[variant.name]).ratio is not None
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value

"""Accuracy against a cost as a scatter plot."""

import math
from collections.abc import Mapping

from msanet_bench.report.document import Bar, Point, Scatter
from msanet_bench.report.findings import Findings
from msanet_bench.report.latency import DEVICES, anchor_of, main_timings, unusual
from msanet_bench.report.numbers import bar, milliseconds
from msanet_bench.report.standing import MACS
from msanet_bench.report.timings import Timing

# With more variants than this, names would cover each other: the figure shows the numbers of the table.
_NAMED = 8
_LONGEST_NAME = 28
_MILLION = 1e6

HOW_TO_READ = (
    "Up and to the left is better. Bars are 95 % intervals: of the mean over seeds (upright) and of the "
    "ratio of latencies (across). A number is that of the table of variants; a label that would cover "
    "another is left out."
)


def latency_trade(findings: Findings, family: str) -> Scatter | None:
    """One point a variant with an accuracy and a latency on this kind of device; None without any."""
    timings = main_timings(findings.inputs.latencies, family)
    costs = {name: _ratio(timing) for name, timing in timings.items() if timing.ratio is not None}
    points = _points(findings, costs, family)
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


def macs_trade(findings: Findings) -> Scatter | None:
    """One point a variant with an accuracy and a count, and one a row from elsewhere; None without any."""
    costs = {
        variant.name: _exact(variant.profile.macs / _MILLION)
        for variant in findings.variants
        if variant.profile and variant.profile.macs
    }
    points = _points(findings, costs, MACS)
    if not points:
        return None
    return Scatter(
        name="accuracy_macs",
        alt="Accuracy against multiply-accumulates",
        x_axis="million multiply-accumulates of one image",
        y_axis="test accuracy, %",
        points=(*points, *_references(findings)),
    )


def _points(findings: Findings, costs: Mapping[str, Bar], cost: str) -> tuple[Point, ...]:
    shown = [v for v in findings.variants if v.name in costs and v.accuracy is not None]
    by_name = len(shown) <= _NAMED and all(len(variant.label) <= _LONGEST_NAME for variant in shown)
    baseline, standing = findings.manifest.baseline, findings.standing
    front = standing.on_front.get(cost, {}) if standing else {}
    return tuple(
        Point(
            label=variant.label if by_name or variant.name == baseline else str(variant.number),
            x=costs[variant.name],
            y=bar(accuracy.mean, accuracy.low, accuracy.high),
            kind="baseline" if variant.name == baseline else "variant",
            front=front.get(variant.name),
            name=variant.name,
        )
        for variant in shown
        if (accuracy := variant.accuracy) is not None
    )


def _references(findings: Findings) -> tuple[Point, ...]:
    return tuple(
        Point(
            label=reference.name,
            x=_exact(reference.macs / _MILLION),
            y=_exact(100 * reference.accuracy),
            kind="reference",
            name=f"{reference.name} ({reference.source})",
        )
        for reference in findings.references
        if reference.accuracy is not None and reference.macs is not None
    )


def _exact(value: float) -> Bar:
    return Bar(value, math.nan, math.nan)


def _ratio(timing: Timing) -> Bar:
    return Bar(*(math.nan if v is None else v for v in (timing.ratio, timing.ratio_low, timing.ratio_high)))

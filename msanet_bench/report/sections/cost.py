"""What the variants cost: latency against accuracy, every latency, and where the parameters are."""

import math
from collections.abc import Iterator, Mapping

from msanet_bench.report.document import (
    Bar,
    Block,
    Bullets,
    Cell,
    Code,
    Paragraph,
    Point,
    Scatter,
    Section,
    Table,
)
from msanet_bench.report.findings import Findings
from msanet_bench.report.inputs import Setting, Timing
from msanet_bench.report.latency import DEVICES, main_timings, relative, why_not_measured
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import bar, count, fixed, milliseconds, plural

# With more variants than this, names would cover each other: the figure shows the numbers of the table.
_NAMED = 8
_LONGEST_NAME = 28
_HOW_TO_READ = (
    "Up and to the left is better. Bars are 95 % intervals: of the mean over seeds (upright) and of the "
    "ratio of latencies (across). A number is that of the table of variants; a label that would cover "
    "another is left out."
)


def cost(findings: Findings) -> Section:
    """Accuracy against latency, the latencies themselves, and the baseline's parameters by part."""
    figures = [block for family in DEVICES for block in _trade(findings, family)]
    explained = [Paragraph(_HOW_TO_READ)] if figures else []
    return Section("Cost", (*figures, *explained, *_latencies(findings), *_parts(findings)))


def _trade(findings: Findings, family: str) -> Iterator[Scatter]:
    timings = main_timings(findings.inputs.timings, family)
    points = _points(findings, timings)
    if not points:
        return
    setting = next(iter(timings.values())).setting
    anchor = next(iter(timings.values())).anchor
    base = timings.get(anchor)
    absolute = f" ({milliseconds(base.p50)} ms)" if base else ""
    yield Scatter(
        name=f"accuracy_latency_{family}",
        alt=f"Accuracy against latency on {DEVICES[family]}, each with its 95 % interval",
        x_axis=f"{DEVICES[family]} latency, batch {setting.batch}, relative to {anchor}{absolute}",
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
            is_baseline=variant.name == baseline,
        )
        for variant in shown
        if (accuracy := variant.accuracy) and (timing := timings[variant.name]).ratio is not None
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _latencies(findings: Findings) -> Iterator[Block]:
    timings = findings.inputs.timings
    measured = [timing for timing in timings if timing.is_measured]
    for setting in dict.fromkeys(timing.setting for timing in measured):
        here = [timing for timing in measured if timing.setting == setting]
        yield Paragraph(f"Latency on {_describe(setting)}; multiples of {code(here[0].anchor)}:")
        yield Table(("variant", "calls", "p50, ms", "p90, ms", "relative [95 %]"), tuple(map(_latency, here)))
    for family, title in DEVICES.items():
        if not main_timings(timings, family):
            yield Paragraph(f"Latency on {title}: {escape(why_not_measured(timings, family))}.")
    broken = [
        timing
        for timing in timings
        if not timing.is_measured and main_timings(timings, timing.setting.family)
    ]
    if broken:
        yield Bullets(
            tuple(f"{code(t.variant)} on {_describe(t.setting)}: {escape(t.status)}" for t in broken)
        )


def _describe(setting: Setting) -> str:
    parts = [
        setting.device,
        f"batch {setting.batch}",
        setting.precision,
        setting.mode,
        f"cache {setting.cache}",
    ]
    threads = [] if setting.threads is None else [plural(setting.threads, "thread")]
    return escape(", ".join([*parts, *threads]))


def _latency(timing: Timing) -> tuple[Cell, ...]:
    return (
        Code(timing.variant),
        count(timing.n),
        milliseconds(timing.p50),
        milliseconds(timing.p90),
        relative(timing),
    )


def _parts(findings: Findings) -> Iterator[Block]:
    profile = findings.baseline.profile
    if profile is None or not profile.params:
        return
    yield Paragraph("Where the parameters of the baseline are:")
    rows = [
        (Code(part), count(number), fixed(100 * number / profile.params, 1))
        for part, number in profile.params_by_part.items()
    ]
    yield Table(("part", "params", "share, %"), tuple(rows))

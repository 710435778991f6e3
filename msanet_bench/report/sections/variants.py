"""Every variant in declared order: accuracy, distance to the baseline, and what it costs."""

from collections.abc import Iterator

from msanet_bench.report.document import (
    Bullets,
    Cell,
    Code,
    DataFile,
    Forest,
    Paragraph,
    Section,
    Table,
)
from msanet_bench.report.exports import variants_csv
from msanet_bench.report.findings import Findings, VariantFinding
from msanet_bench.report.latency import DEVICES, main_timings, relative, unusual, why_not_measured
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import (
    ABSENT,
    count,
    milliseconds,
    percent,
    percent_interval,
    points,
    points_interval,
)
from msanet_bench.report.sections.forest import forest


def variants(findings: Findings) -> Section:
    """The table of all variants, and each one's distance to the baseline as a figure."""
    figure = _figure(findings)
    return Section(
        "Variants",
        (
            Paragraph(
                "Accuracy is the mean over seeds with its 95 % t interval; sd is the deviation between "
                "seeds. The difference to the baseline and its interval come from the block model of all "
                "cells, in which the seed is the block. Rows keep the order of the plan."
            ),
            Table(_header(findings), tuple(_rows(findings)), text_columns=2),
            *_notes(findings),
            *([figure] if figure.rows else []),
            DataFile("variants.csv", variants_csv(findings)),
        ),
    )


def _header(findings: Findings) -> tuple[str, ...]:
    known = findings.inputs.latencies
    fixed = (
        "#",
        "variant",
        "accuracy, % [95 %]",
        "sd, pp",
        "seeds",
        "difference, pp [95 %]",
        "params",
        "MACs",
    )
    latencies = []
    for family, title in DEVICES.items():
        measured = main_timings(known, family)
        if measured:
            first = next(iter(measured.values()))
            latencies += [f"{title} latency, ms ({unusual(first)})", f"{title}, relative [95 %]"]
        else:
            latencies.append(f"{title} latency, ms: {why_not_measured(known, family)}")
    return (*fixed, *latencies)


def _rows(findings: Findings) -> Iterator[tuple[Cell, ...]]:
    seeds = len(findings.manifest.seeds)
    tables = [main_timings(findings.inputs.latencies, family) for family in DEVICES]
    for variant in findings.variants:
        latencies: list[Cell] = []
        for table in tables:
            timing = table.get(variant.name)
            latencies.append(milliseconds(timing.latency) if timing else ABSENT)
            latencies += [relative(timing)] if table else []
        profile = variant.profile
        yield (
            str(variant.number),
            Code(variant.name),
            _accuracy(variant, seeds),
            points(variant.accuracy.sd).lstrip("+") if variant.accuracy else ABSENT,
            f"{variant.ok}/{seeds}",
            _difference(variant, findings.manifest.baseline),
            count(profile.params if profile else None),
            count(profile.macs if profile else None),
            *latencies,
        )


def _accuracy(variant: VariantFinding, seeds: int) -> str:
    accuracy = variant.accuracy
    if accuracy is None:
        return ABSENT
    interval = f" {percent_interval(accuracy.low, accuracy.high)}" if accuracy.has_interval else ""
    return f"{percent(accuracy.mean)}{interval}" + (f" (n={variant.ok})" if variant.ok < seeds else "")


def _difference(variant: VariantFinding, baseline: str) -> str:
    if variant.name == baseline:
        return "baseline"
    contrast = variant.difference
    if contrast is None:
        return ABSENT
    interval = f" {points_interval(contrast.low, contrast.high)}" if contrast.has_interval else ""
    return f"{points(contrast.estimate)}{interval}"


def _notes(findings: Findings) -> Iterator[Bullets]:
    seeds = len(findings.manifest.seeds)
    thin = [
        f"{code(variant.name)}: the mean is over {variant.ok} of {seeds} seeds (see Failures); the missing "
        "ones may have been the worse ones."
        for variant in findings.variants
        if 0 < variant.ok < seeds
    ]
    uncounted = [
        f"{code(variant.name)}: no count of MACs ({escape(variant.profile.macs_status)})."
        for variant in findings.variants
        if variant.profile and variant.profile.macs is None
    ]
    unconfirmed = [
        f"{code(variant.name)}: MACs {escape(variant.profile.macs_status)}."
        for variant in findings.variants
        if variant.profile and variant.profile.macs is not None and variant.profile.macs_status != "exact"
    ]
    if thin or uncounted or unconfirmed:
        yield Bullets((*thin, *uncounted, *unconfirmed))


def _figure(findings: Findings) -> Forest:
    return forest(
        findings,
        ((variant.label, variant.difference) for variant in findings.variants),
        name="differences",
        alt="Difference of each variant to the baseline, 95 % intervals, band of what does not matter",
        axis="accuracy minus the baseline's, percentage points",
    )

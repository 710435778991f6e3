"""Every variant in declared order: accuracy, distance to the baseline, and what it costs."""

from collections.abc import Iterator, Mapping, Sequence

from msanet_bench.report.document import (
    Block,
    Bullets,
    Cell,
    Code,
    DataFile,
    Forest,
    Paragraph,
    Section,
    Strip,
    StripRow,
    Table,
)
from msanet_bench.report.exports import variants_csv
from msanet_bench.report.findings import Findings, VariantFinding
from msanet_bench.report.latency import DEVICES, main_timings, relative, unusual, why_not_measured
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import (
    ABSENT,
    bar,
    count,
    fixed,
    milliseconds,
    percent,
    percent_interval,
    points,
)
from msanet_bench.report.sections.claims import CLAIM_HEADER, claim_cells, how_tested
from msanet_bench.report.sections.forest import forest
from msanet_bench.report.sections.trade import macs_trade

# Of more variants than this, the page shows the ones that could be chosen; the file beside it has all.
_SHOWN = 60


def variants(findings: Findings) -> Section:
    """Each variant's accuracy and distance to the baseline; then its costs, and who stands on the front."""
    figure = _figure(findings)
    shown = _shown(findings)
    return Section(
        "Variants",
        (
            Paragraph(_explained(findings)),
            *_left_out(findings, shown),
            Table(_HEADER, tuple(_row(findings, variant) for variant in shown), text_columns=2),
            *_notes(findings),
            *([figure] if figure.rows else []),
            *_strip(shown),
            Paragraph(_front_explained(findings)),
            Table(
                _cost_header(findings),
                tuple(_cost_row(findings, variant) for variant in shown),
                text_columns=2,
            ),
            *([front] if (front := macs_trade(findings)) else []),
            *_references(findings),
            DataFile("variants.csv", variants_csv(findings)),
        ),
    )


_HEADER = ("#", "variant", "accuracy, % [95 %]", "sd, pp", "seeds", "difference, pp", *CLAIM_HEADER[1:])


def _explained(findings: Findings) -> str:
    return (
        "Accuracy is the mean over seeds with its 95 % t interval; sd is the deviation between seeds. The "
        "difference to the baseline comes from the block model of all cells, in which the seed is the block. "
        f"Rows keep the order of the plan. {how_tested(findings)}"
    )


def _shown(findings: Findings) -> list[VariantFinding]:
    """All; of very many the baseline and those that may be best or on a front, in the order of the plan."""
    if len(findings.variants) <= _SHOWN:
        return list(findings.variants)
    by_hope = sorted(findings.variants, key=lambda v: (v.name != findings.baseline.name, -_hope(findings, v)))
    chosen = {variant.name for variant in by_hope[:_SHOWN]}
    return [variant for variant in findings.variants if variant.name in chosen]


def _hope(findings: Findings, variant: VariantFinding) -> float:
    standing = findings.standing
    if standing is None:
        return variant.accuracy.mean if variant.accuracy else 0.0
    chances = [standing.best, *standing.on_front.values()]
    return max(chance.get(variant.name, 0.0) for chance in chances)


def _left_out(findings: Findings, shown: Sequence[VariantFinding]) -> Iterator[Paragraph]:
    if len(shown) < len(findings.variants):
        yield Paragraph(
            f"Of {len(findings.variants)} variants the {len(shown)} are shown that are the likeliest to be "
            "best or on a front; `tables/variants.csv` has all of them."
        )


def _row(findings: Findings, variant: VariantFinding) -> tuple[Cell, ...]:
    seeds = findings.manifest.num_seeds(variant.name)
    is_baseline = variant.name == findings.manifest.baseline
    claim = ("baseline", *[""] * (len(CLAIM_HEADER) - 1)) if is_baseline else claim_cells(variant.claim)
    return (
        str(variant.number),
        Code(variant.name),
        _accuracy(variant, seeds),
        points(variant.accuracy.sd).lstrip("+") if variant.accuracy else ABSENT,
        f"{variant.ok}/{seeds}",
        *claim,
    )


def _strip(shown: Sequence[VariantFinding]) -> Iterator[Strip]:
    rows = tuple(
        StripRow(
            label=variant.label,
            values=tuple(100 * value for value in variant.values),
            bar=bar(variant.accuracy.mean, variant.accuracy.low, variant.accuracy.high),
        )
        for variant in shown
        if variant.accuracy is not None
    )
    if rows:
        yield Strip(
            name="runs",
            alt="Accuracy of every run, with each variant's mean and 95 % interval",
            axis="test accuracy, %",
            rows=rows,
        )


def _front_explained(findings: Findings) -> str:
    costs = "What the variants cost. Latencies are ratios to the baseline's, with their 95 % intervals."
    if findings.standing is None:
        return costs
    return (
        f"{costs} On the front: in what share of {count(findings.standing.draws)} draws of all means from "
        "their joint distribution, and of latencies from their intervals, no other variant is both as "
        "accurate and as cheap. Best: in what share it has the highest mean. From 0.90 on a place is "
        "robust, from 0.10 on it is possible."
    )


def _cost_header(findings: Findings) -> tuple[str, ...]:
    known = findings.inputs.latencies
    titles = ["#", "variant", "accuracy, %", "params", "MACs"]
    for family, title in DEVICES.items():
        measured = main_timings(known, family)
        if measured:
            first = next(iter(measured.values()))
            titles += [f"{title} latency, ms ({unusual(first)})", f"{title}, relative [95 %]"]
        else:
            titles.append(f"{title} latency, ms: {why_not_measured(known, family)}")
    fronts = [f"on front, {DEVICES.get(cost, 'MACs')}" for cost in _fronts(findings)]
    return (*titles, *fronts, *(["best"] if findings.standing else []))


def _cost_row(findings: Findings, variant: VariantFinding) -> tuple[Cell, ...]:
    latencies: list[Cell] = []
    for family in DEVICES:
        table = main_timings(findings.inputs.latencies, family)
        timing = table.get(variant.name)
        latencies.append(milliseconds(timing.latency) if timing else ABSENT)
        latencies += [relative(timing)] if table else []
    profile, standing = variant.profile, findings.standing
    return (
        str(variant.number),
        Code(variant.name),
        percent(variant.accuracy.mean if variant.accuracy else None),
        count(profile.params if profile else None),
        count(profile.macs if profile else None),
        *latencies,
        *(fixed(front.get(variant.name), 2) for front in _fronts(findings).values()),
        *([fixed(standing.best.get(variant.name), 2)] if standing else []),
    )


def _references(findings: Findings) -> Iterator[Block]:
    if findings.references:
        yield Paragraph(
            "Rows from elsewhere, as they are stated there: neither trained nor measured here, without "
            "intervals, and on no front."
        )
        rows = tuple(
            (Code(row.name), row.source, percent(row.accuracy), count(row.params), count(row.macs))
            for row in findings.references
        )
        yield Table(("network", "source", "accuracy, %", "params", "MACs"), rows, text_columns=2)


def _fronts(findings: Findings) -> Mapping[str, Mapping[str, float]]:
    return findings.standing.on_front if findings.standing else {}


def _accuracy(variant: VariantFinding, seeds: int) -> str:
    accuracy = variant.accuracy
    if accuracy is None:
        return ABSENT
    interval = f" {percent_interval(accuracy.low, accuracy.high)}" if accuracy.has_interval else ""
    return f"{percent(accuracy.mean)}{interval}" + (f" (n={variant.ok})" if variant.ok < seeds else "")


def _notes(findings: Findings) -> Iterator[Bullets]:
    planned = {variant.name: findings.manifest.num_seeds(variant.name) for variant in findings.variants}
    thin = [
        f"{code(variant.name)}: the mean is over {variant.ok} of {planned[variant.name]} seeds (see "
        "Failures); the missing ones may have been the worse ones."
        for variant in findings.variants
        if 0 < variant.ok < planned[variant.name]
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
        ((variant.label, variant.claim) for variant in findings.variants),
        name="differences",
        alt="Difference of each variant to the baseline, both 95 % intervals, band of what does not matter",
        axis="accuracy minus the baseline's, percentage points",
    )

"""What each factor changes, averaged over everything else that was varied."""

from msanet_bench.report.document import (
    Cell,
    Code,
    DataFile,
    Forest,
    Paragraph,
    Section,
    Table,
)
from msanet_bench.report.effects import Effect
from msanet_bench.report.exports import effects_csv
from msanet_bench.report.findings import Findings
from msanet_bench.report.markdown import code
from msanet_bench.report.names import short_path
from msanet_bench.report.numbers import ABSENT, count, points, points_interval
from msanet_bench.report.sections.forest import forest

_HEADER = ("factor", "level", "instead of", "pairs", "effect, pp", "95 % interval", "params", "MACs")


def effects(findings: Findings) -> Section | None:
    """The main effects as table and figure."""
    if not findings.effects:
        return None
    figure = _figure(findings)
    return Section(
        "Main effects",
        (
            Paragraph(
                "The mean change of accuracy from a factor's first level to another, over all pairs of "
                "variants that agree in every other factor; one pair is a single comparison, not an "
                "average. The error is pooled over all cells. The changes in parameters and "
                "multiply-accumulates (MACs) are means over the same pairs, and exact."
            ),
            Table(_HEADER, tuple(map(_row, findings.effects)), text_columns=3),
            *(Paragraph(_thin(effect)) for effect in findings.effects if effect.pairs < effect.planned_pairs),
            *([figure] if figure.rows else []),
            DataFile("effects.csv", effects_csv(findings.effects)),
        ),
    )


def _row(effect: Effect) -> tuple[Cell, ...]:
    contrast = effect.contrast
    return (
        Code(effect.factor),
        Code(effect.level),
        Code(effect.reference),
        str(effect.pairs),
        points(contrast.estimate) if contrast else ABSENT,
        points_interval(contrast.low, contrast.high) if contrast else ABSENT,
        count(effect.params, signed=True),
        count(effect.macs, signed=True),
    )


def _thin(effect: Effect) -> str:
    return (
        f"{code(effect.factor)}, {code(effect.level)} instead of {code(effect.reference)}: {effect.pairs} of "
        f"{effect.planned_pairs} planned pairs, since the others have no result on one side."
    )


def _figure(findings: Findings) -> Forest:
    paths = list(findings.manifest.factors)
    contrasts = (
        (f"{short_path(effect.factor, paths)}: {effect.level} instead of {effect.reference}", effect.contrast)
        for effect in findings.effects
    )
    return forest(
        findings,
        contrasts,
        name="effects",
        alt="Main effects on accuracy, 95 % intervals, band of what does not matter",
        axis="change of accuracy, percentage points",
    )

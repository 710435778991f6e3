"""What each factor changes, averaged over everything else that was varied, and what that costs."""

from collections.abc import Iterator

from msanet_bench.report.document import (
    Block,
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
from msanet_bench.report.numbers import points
from msanet_bench.report.sections.claims import CLAIM_HEADER, claim_cells, how_tested
from msanet_bench.report.sections.forest import forest
from msanet_bench.report.sections.prices import price_cells, price_header
from msanet_bench.report.words import VOCABULARY

_WHICH = ("factor", "level", "instead of")


def effects(findings: Findings) -> Section | None:
    """The main effects as table and figure, and their costs."""
    if not findings.effects:
        return None
    figure = _figure(findings)
    rows = tuple((*_which(e), str(e.pairs), *claim_cells(e.claim)) for e in findings.effects)
    return Section(
        "Effects",
        (
            Paragraph(
                "The mean change of accuracy from one level of a factor to another, over all pairs of "
                "variants that agree in every other factor; one pair is a single comparison, not an "
                "average. Of a part that can be left out, it is what having it is worth. "
                f"{how_tested(findings)}"
            ),
            Table((*_WHICH, "pairs", *CLAIM_HEADER), rows, text_columns=3),
            *([Paragraph(VOCABULARY)] if _has_verdicts(findings) else []),
            *map(Paragraph, _remarks(findings)),
            *([figure] if figure.rows else []),
            *_costs(findings),
            DataFile("effects.csv", effects_csv(findings)),
        ),
    )


def _which(effect: Effect) -> tuple[Cell, ...]:
    if effect.is_trend:
        return Code(effect.factor), effect.level, effect.reference
    return Code(effect.factor), Code(effect.level), Code(effect.reference)


def _has_verdicts(findings: Findings) -> bool:
    return any(effect.claim is not None and effect.claim.verdict is not None for effect in findings.effects)


def _remarks(findings: Findings) -> Iterator[str]:
    """Which effects stand on less than was planned, and why some cannot be told at all."""
    for effect in findings.effects:
        name = f"{code(effect.factor)}, {code(effect.level)} instead of {code(effect.reference)}"
        if not effect.planned_pairs:
            yield (
                f"{name}: no two variants of the plan differ in this alone, so what it does cannot be told "
                "from what others do. Of a fraction of all combinations, `msanet-bench analyze` names which."
            )
        elif effect.pairs < effect.planned_pairs:
            yield (
                f"{name}: {effect.pairs} of {effect.planned_pairs} planned pairs, since the others have no "
                "result on one side."
            )
        if effect.pairs and effect.claim is None:
            yield f"{name}: its variants share no seed, so it cannot be told from what seeds do."


def _costs(findings: Findings) -> Iterator[Block]:
    if not any(effect.costs is not None for effect in findings.effects):
        return
    yield Paragraph(
        "What these changes cost, with the same weights: counts are exact; latencies have the intervals of "
        "the session, as if the errors of its networks were independent. A price is given where the cost is "
        "surely not 0."
    )
    rows = (
        (*_which(effect), points(worth), *price_cells(findings, worth, effect.costs))
        for effect in findings.effects
        for worth in [effect.claim.here.estimate if effect.claim else None]
    )
    yield Table((*_WHICH, "effect, pp", *price_header(findings)), tuple(rows), text_columns=3)


def _figure(findings: Findings) -> Forest:
    paths = list(findings.manifest.factors)
    contrasts = (
        (
            f"{short_path(e.factor, paths)}: {e.level} {'of' if e.is_trend else 'instead of'} {e.reference}",
            e.claim,
        )
        for e in findings.effects
    )
    return forest(
        findings,
        contrasts,
        name="effects",
        alt="Main effects on accuracy with both 95 % intervals, and the band of what does not matter",
        axis="change of accuracy, percentage points",
    )

"""The first screen: the question and what the numbers say to it."""

from collections import Counter
from collections.abc import Sequence

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.report.document import Bullets, Paragraph, Section
from msanet_bench.report.findings import Findings
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import difference, percent, plural

# More names than this are left to the table.
_NAMED = 6


def summary(findings: Findings) -> Section:
    """Counts, the baseline, and the comparisons whose interval excludes 0."""
    question = escape(findings.manifest.question) or "The experiment file asks none."
    effects = [
        (f"{code(effect.factor)} {code(effect.level)} instead of {code(effect.reference)}", effect.contrast)
        for effect in findings.effects
        if effect.contrast is not None
    ]
    differences = [
        (code(variant.name), variant.difference)
        for variant in findings.variants
        if variant.difference is not None
    ]
    items = (
        _cells(findings),
        _baseline(findings),
        *_excluding("Main effects", effects),
        *_excluding("Differences to the baseline", differences),
    )
    return Section(
        "Summary",
        (
            Paragraph(f"**Question.** {question}"),
            Bullets(items),
            Paragraph(_how_to_read(findings)),
        ),
    )


def _cells(findings: Findings) -> str:
    manifest = findings.manifest
    statuses = Counter("missing" if cell is None else cell.status for cell in findings.inputs.cells.values())
    others = (f", {number} {status}" for status, number in sorted(statuses.items()) if status != "ok")
    return (
        f"{plural(len(manifest.variants), 'variant')} x {plural(len(manifest.seeds), 'seed')} = "
        f"{plural(len(findings.inputs.cells), 'cell')}: {statuses['ok']} ok{''.join(others)}."
    )


def _baseline(findings: Findings) -> str:
    accuracy = findings.baseline.accuracy
    if accuracy is None:
        return "The baseline has no result: nothing can be compared with it."
    if not accuracy.has_interval:
        return f"Baseline accuracy: {percent(accuracy.mean)} %, from one seed, so without an interval."
    return (
        f"Baseline accuracy: {percent(accuracy.mean)} % "
        f"(95 % interval {percent(accuracy.low)} to {percent(accuracy.high)}, n = {accuracy.n} seeds)."
    )


def _excluding(what: str, contrasts: Sequence[tuple[str, Contrast]]) -> list[str]:
    with_interval = [(name, contrast) for name, contrast in contrasts if contrast.has_interval]
    if not with_interval:
        return []
    clear = [f"{name}: {difference(contrast)}" for name, contrast in with_interval if contrast.excludes_zero]
    head = f"{what}: {len(clear)} of {len(with_interval)} have an interval that excludes 0"
    if not clear or len(clear) > _NAMED:
        return [f"{head}{' (see the table)' if clear else ''}."]
    return [f"{head}: {'; '.join(clear)}."]


def _how_to_read(findings: Findings) -> str:
    if findings.fit is None:
        return "No cell has a result yet."
    if findings.fit.df == 0:
        return (
            "There is one seed, or too few cells, to tell chance from effect: differences stand without "
            "intervals and nothing can be concluded from them."
        )
    return (
        "Each interval is a 95 % interval for itself: what training again with other seeds would give on "
        "this test set. They are not adjusted for their number "
        f"({plural(findings.comparisons, 'different comparison')}): if nothing were real, 5 % of the "
        "intervals would be expected to exclude 0 all the same. An interval that contains 0 does not show "
        "that there is no effect. The smallest difference that matters was declared beforehand: "
        f"{escape(str(findings.manifest.experiment['delta']))}. None of this is a verdict."
    )

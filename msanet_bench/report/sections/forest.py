"""Contrasts of accuracy as a forest plot, beside the band of what does not matter."""

from collections.abc import Iterable

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.report.document import Forest, ForestRow
from msanet_bench.report.findings import Findings
from msanet_bench.report.numbers import bar


def forest(
    findings: Findings, contrasts: Iterable[tuple[str, Contrast | None]], *, name: str, alt: str, axis: str
) -> Forest:
    """One row for each contrast that could be estimated, by its label; the band is the declared delta."""
    rows = tuple(
        ForestRow(label, bar(contrast.estimate, contrast.low, contrast.high))
        for label, contrast in contrasts
        if contrast is not None
    )
    return Forest(name=name, alt=alt, axis=axis, rows=rows, band=100 * findings.manifest.delta)

"""Contrasts of accuracy as a forest plot, beside the band of what does not matter."""

from collections.abc import Iterable

from msanet_bench.report.document import Forest, ForestRow
from msanet_bench.report.evidence import Claim
from msanet_bench.report.findings import Findings
from msanet_bench.report.numbers import bar
from msanet_bench.report.words import tone, wide


def forest(
    findings: Findings, claims: Iterable[tuple[str, Claim | None]], *, name: str, alt: str, axis: str
) -> Forest:
    """One row for each contrast that could be estimated, by its label; the band is the declared delta."""
    rows = tuple(
        ForestRow(
            label=label,
            bar=bar(claim.here.estimate, claim.here.low, claim.here.high),
            wide=wide(claim),
            tone=tone(claim),
        )
        for label, claim in claims
        if claim is not None
    )
    return Forest(name=name, alt=alt, axis=axis, rows=rows, band=100 * findings.manifest.delta)

"""Variants of the design that have no row of their own, and what the planner noted."""

from msanet_bench.report.document import Block, Bullets, Cell, Code, Paragraph, Section, Table
from msanet_bench.report.findings import Findings
from msanet_bench.report.markdown import marked


def left_out(findings: Findings) -> Section | None:
    """Merged and excluded variants, and the notes of the plan."""
    manifest = findings.manifest
    rows: list[tuple[Cell, ...]] = [
        (Code(name), "the same network as", Code(variant.name))
        for variant in manifest.variants
        for name in variant.merged
    ]
    if manifest.search is None:  # of a search, they stand with the other trials
        rows += [(Code(variant.name), "excluded", variant.reason) for variant in manifest.excluded]
    if not rows and not manifest.notes:
        return None
    blocks: list[Block] = []
    if rows:
        blocks += [
            Paragraph("Variants of the design that were not trained on their own:"),
            Table(("variant", "fate", "because"), tuple(rows), text_columns=3),
        ]
    if manifest.notes:
        blocks += [Paragraph("What the planner noted:"), Bullets(tuple(map(marked, manifest.notes)))]
    return Section("Merged and excluded variants" if rows else "Notes of the plan", tuple(blocks))

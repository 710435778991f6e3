"""Cells without a result: an outcome like any other, never averaged over in silence."""

from collections.abc import Iterator, Sequence

from msanet_bench.report.document import Block, Cell, Code, Paragraph, Section, Table
from msanet_bench.report.findings import Findings
from msanet_bench.report.numbers import ABSENT, plural

_ANOTHER = "belongs to another shard"


def failures(findings: Findings) -> Section | None:
    """Every planned cell that is not ok, with its reason; cells without a record are missing.

    What a search stopped early did not fail: it stands with the other trials.
    """
    fine = {"ok"} if findings.manifest.search is None else {"ok", "pruned"}
    shard, seeds = findings.manifest.shard, findings.manifest.seeds
    elsewhere = set(seeds) - set(seeds if shard is None else shard.seeds(seeds))
    rows: list[tuple[Cell, ...]] = [
        (Code(variant), str(seed), "missing", _ANOTHER if seed in elsewhere else ABSENT)
        if record is None
        else (Code(variant), str(seed), record.status, record.reason)
        for (variant, seed), record in findings.inputs.cells.items()
        if record is None or record.status not in fine
    ]
    strays = findings.inputs.strays
    if not rows and not strays:
        return None
    return Section("Failures", (*_failed(rows), *_strays(strays)))


def _failed(rows: Sequence[tuple[Cell, ...]]) -> Iterator[Block]:
    if rows:
        cells = plural(len(rows), "planned cell")
        yield Paragraph(f"{cells} without a result; no mean counts them or fills them in.")
        yield Table(("variant", "seed", "status", "reason"), tuple(rows), text_columns=4)


def _strays(strays: int) -> Iterator[Block]:
    if strays:
        records = plural(strays, "record")
        yield Paragraph(f"{records} of cells that are not in the plan: left out of every table.")

"""From a results folder to the table for a paper."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from msanet_bench.report.document import Code
from msanet_bench.report.external import Reference, read_references
from msanet_bench.report.findings import Findings, find
from msanet_bench.report.inputs import read_inputs
from msanet_bench.report.names import short_path
from msanet_bench.report.paper import levels
from msanet_bench.report.paper.choices import (
    Request,
    chosen_columns,
    chosen_decimals,
    chosen_labels,
    chosen_rows,
)
from msanet_bench.report.paper.columns import COLUMNS, WITHOUT_DECIMALS, filled
from msanet_bench.report.paper.filled import Filled, Shown
from msanet_bench.report.paper.notes import notes
from msanet_bench.report.paper.values import Cell, Column, PaperTable

_NAME = "variant"


def paper_table(results: Path, request: Request) -> PaperTable:
    """The chosen rows and columns of a results folder, with what a reader must know below them.

    Raises:
        BenchError: the folder or the file from elsewhere cannot be read, or asked is for what is not there.
    """
    findings = find(read_inputs(results, allow_mixed=request.allow_mixed))
    references = () if request.external is None else read_references(request.external)
    paths = _paths(findings)
    names = chosen_columns(request.columns, dict(zip(COLUMNS, COLUMNS, strict=True)) | paths)
    labels = chosen_labels(request.labels, _called(findings, references) | paths)
    variants, others = chosen_rows(request.rows, findings.variants, references)
    shown = Shown(findings, variants, others, chosen_decimals(request.decimals, _numeric()))
    columns = _columns(shown, names, labels)
    return PaperTable(
        name=findings.manifest.name,
        columns=tuple(column.column for column in columns),
        rows=tuple(zip(*(column.rows for column in columns), strict=True)),
        references=tuple(zip(*(column.references for column in columns), strict=True)),
        source=request.external.name if request.external else "",
        notes=notes(
            shown,
            {column.column.name: column.column.called for column in columns},
            {variant.name: labels.get(variant.name, variant.label) for variant in findings.variants},
        ),
        caption=request.caption,
    )


def _paths(findings: Findings) -> dict[str, str]:
    """Every component, by its path and by its short name."""
    paths = levels.components(findings.manifest)
    return {short_path(path, paths): path for path in paths} | {path: path for path in paths}


def _called(findings: Findings, references: Sequence[Reference]) -> dict[str, str]:
    """Every row and every column that is no component."""
    return (
        {variant.label: variant.name for variant in findings.variants}
        | {variant.name: variant.name for variant in findings.variants}
        | {reference.name: reference.name for reference in references}
        | {name: name for name in (_NAME, *COLUMNS) if name not in {"components", "latency"}}
    )


def _numeric() -> dict[str, str]:
    return {name: name for name in COLUMNS if name not in WITHOUT_DECIMALS}


def _columns(shown: Shown, names: Sequence[str], labels: Mapping[str, str]) -> list[Filled]:
    """The names of the rows, then what is asked for, each column once."""
    found = [_rows(shown, labels), *(column for name in names for column in filled(shown, name))]
    unique = {column.column.name: column for column in found}
    return [column._replace(column=_labelled(column.column, labels)) for column in unique.values()]


def _rows(shown: Shown, labels: Mapping[str, str]) -> Filled:
    def called(name: str, short: Cell) -> Cell:
        return labels.get(name, short)

    return Filled(
        Column(_NAME, _NAME, side="left"),
        tuple(called(variant.name, Code(variant.label)) for variant in shown.variants),
        tuple(called(reference.name, reference.name) for reference in shown.references),
    )


def _labelled(column: Column, labels: Mapping[str, str]) -> Column:
    return replace(column, label=labels.get(column.name, ""))

"""The rows of a table, and a column with its cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from msanet_bench.report.external import Reference
from msanet_bench.report.findings import Findings, VariantFinding
from msanet_bench.report.paper.values import Cell, Column


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows that were chosen, and the decimals of columns that were asked for."""

    findings: Findings
    variants: Sequence[VariantFinding]
    references: Sequence[Reference]
    decimals: Mapping[str, int]


class Filled(NamedTuple):
    """A column with its cells."""

    column: Column
    rows: tuple[Cell, ...]
    references: tuple[Cell, ...]


def fill(
    shown: Shown,
    column: Column,
    cell: Callable[[VariantFinding], Cell],
    stated: Callable[[Reference], Cell] = lambda _: None,
) -> Filled:
    """A column whose cells are worked out row by row; what others do not state is absent."""
    return Filled(column, tuple(map(cell, shown.variants)), tuple(map(stated, shown.references)))

"""The table for a paper as Markdown and as comma-separated values."""

import csv
import io
from collections.abc import Iterator, Sequence

from msanet_bench.report import document
from msanet_bench.report.markdown import escape
from msanet_bench.report.markdown import table as markdown_table
from msanet_bench.report.numbers import ABSENT
from msanet_bench.report.paper.values import PLUS_MINUS, Cell, Column, PaperTable
from msanet_bench.report.paper.written import Style, numbers, written

# the writer of tables escapes every cell
_MARKDOWN = Style(absent=ABSENT, check="\u2713", plus_minus=PLUS_MINUS, text=str, number=str)


def markdown(table: PaperTable) -> str:
    """The caption, the table and the notes; a row with the file's name stands above those from elsewhere."""
    width = len(table.columns)
    heading = [(f"from {table.source}:", *[""] * (width - 1))] if table.references else []
    rows = [tuple(map(_shown, row)) for row in (*table.rows, *heading, *table.references)]
    block = document.Table(tuple(map(_heading, table.columns)), tuple(rows))
    parts = [escape(table.caption), markdown_table(block), escape(" ".join(table.notes))]
    return "\n\n".join(part for part in parts if part) + "\n"


def comma_separated(table: PaperTable) -> str:
    """One column a number; what is absent is empty, and rows from elsewhere name their file."""
    sources = ["source"] if table.references else []
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    header = [f"{column.label or column.name}{part}" for column in table.columns for part in column.parts]
    writer.writerow([*header, *sources])
    writer.writerows([*_fields(table, row), *["" for _ in sources]] for row in table.rows)
    writer.writerows([*_fields(table, row), table.source] for row in table.references)
    return buffer.getvalue()


def _heading(column: Column) -> str:
    return f"{column.called}, {column.unit}" if column.unit else column.called


def _shown(cell: Cell) -> document.Cell:
    return cell if isinstance(cell, document.Code) else written(cell, _MARKDOWN)


def _fields(table: PaperTable, row: Sequence[Cell]) -> Iterator[str]:
    """The numbers of every cell, as many as its column has."""
    for column, cell in zip(table.columns, row, strict=True):
        fields = (cell.text,) if isinstance(cell, document.Code) else numbers(cell)
        yield from (*fields, *[""] * (len(column.parts) - len(fields)))

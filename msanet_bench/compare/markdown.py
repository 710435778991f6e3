"""A comparison in GitHub-flavoured Markdown, for a pull request."""

from collections.abc import Sequence

from msanet_bench.compare.document import Comparison, Entry, Table
from msanet_bench.compare.gates import Ruling
from msanet_bench.compare.words import (
    change_title,
    gates_footnote,
    legend,
    row_texts,
    ruling_text,
    table_title,
)
from msanet_bench.gfm import code, code_cell, escape, grid, marked

# better and worse at a glance; words remain for those who search
_SIGNS = {"better": "\u25b2 better", "worse": "\u25bc worse"}


def render_markdown(comparison: Comparison, rulings: Sequence[Ruling], mode: str) -> str:
    """A heading a table; names in code font."""
    paths = [f"- {escape(label)}: {code(path)}" for label, path in comparison.paths.items()]
    parts = ["\n".join(paths), *(_table(comparison.base, table) for table in comparison.tables)]
    said = [f"- **{note.level}**: {marked(note.text)}" for note in comparison.notes]
    said += [f"- {marked(text)}" for text in (legend(comparison),) if text]
    said += [f"- **{escape(ruling_text(ruling))}**" for ruling in rulings]
    said += [f"- {marked(text)}" for text in (gates_footnote(rulings, mode),) if text]
    return "\n\n".join([*parts, *(["\n".join(said)] if said else [])]) + "\n"


def _table(base: str, table: Table) -> str:
    heads = [text for column in table.columns for text in (column.head, change_title(table.metric), "")]
    header = [escape(text) for text in ("variant", base, *heads)]
    rows = [
        [code_cell(variant), *_cells(table, [column.entries[place] for column in table.columns])]
        for place, variant in enumerate(table.variants)
    ]
    if table.summary:
        summary = _cells(table, [column.summary for column in table.columns])
        rows.append([escape(table.summary), *summary])
    notes = [f"- {marked(text)}" for text in table.footnotes]
    parts = [f"### {escape(table_title(table))}", grid(header, rows, text_columns=1), "\n".join(notes)]
    return "\n\n".join(part for part in parts if part)


def _cells(table: Table, entries: Sequence[Entry | None]) -> list[str]:
    return [_signed(escape(text)) for text in row_texts(table, entries)]


def _signed(text: str) -> str:
    return _SIGNS.get(text, text)

"""A comparison for the terminal: aligned columns in ASCII, as wide as it is."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from msanet_bench.compare.document import Comparison, Table
from msanet_bench.compare.gates import Ruling
from msanet_bench.compare.words import (
    change_title,
    gates_footnote,
    legend,
    row_texts,
    ruling_text,
    table_title,
)

_GAP = 2
_LEAST_WIDTH = 40
# of a head: its value, the change and the mark
_CELLS_OF_HEAD = 3

_Line = tuple[str, ...]


def render_text(comparison: Comparison, rulings: Sequence[Ruling], mode: str, width: int) -> str:
    """Tables one below the other; heads beside one another where the terminal is wide enough."""
    width = max(width, _LEAST_WIDTH)
    paths = [f"{label}: {path}" for label, path in comparison.paths.items()]
    parts = ["\n".join(paths)]
    parts += ["\n".join(_table(comparison.base, table, width)) for table in comparison.tables]
    said = [f"{note.level}: {note.text}" for note in comparison.notes]
    said += [text for text in (legend(comparison),) if text]
    said += [ruling_text(ruling) for ruling in rulings]
    said += [f"note: {text}" for text in (gates_footnote(rulings, mode),) if text]
    parts.append("\n".join(line for text in said for line in _wrapped(text, width)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(base: str, table: Table, width: int) -> Iterator[str]:
    yield from _wrapped(table_title(table), width)
    joined = _lines(base, table)
    if len(table.columns) == 1 or _narrowest(joined) <= width:
        yield from _laid_out(joined, width)
    else:
        for number, column in enumerate(table.columns):
            yield from [""] if number else []
            yield from _laid_out(_lines(base, replace(table, columns=(column,))), width)
    for footnote in table.footnotes:
        yield from _wrapped(f"note: {footnote}", width)


def _lines(base: str, table: Table) -> list[_Line]:
    """Header, rows and summary as texts."""
    heads = [text for column in table.columns for text in (column.head, change_title(table.metric), "")]
    rows = [
        (variant, *row_texts(table, [column.entries[place] for column in table.columns]))
        for place, variant in enumerate(table.variants)
    ]
    summary = [(table.summary, *row_texts(table, [column.summary for column in table.columns]))]
    return [("variant", base, *heads), *rows, *(summary if table.summary else [])]


def _narrowest(lines: Sequence[_Line]) -> int:
    widths = _widths(lines)
    return _longest_part(lines) + sum(widths[1:]) + _GAP * (len(widths) - 1)


def _laid_out(lines: Sequence[_Line], width: int) -> Iterator[str]:
    """Names in the first column, wrapped where they must be, or each on a line of its own."""
    widths = _widths(lines)
    rest = sum(widths[1:]) + _GAP * (len(widths) - 1)
    if _longest_part(lines) + rest <= width:
        widths[0] = min(widths[0], width - rest)
        for line in lines:
            yield from _aligned(line, widths)
    else:
        yield from _stacked(lines, widths)


def _stacked(lines: Sequence[_Line], widths: Sequence[int]) -> Iterator[str]:
    header, *rows = lines
    for name, *cells in (("", *header[1:]), *rows):
        if name:
            yield name
        yield (" " * _GAP + _columns(cells, widths[1:])).rstrip()


def _aligned(line: _Line, widths: Sequence[int]) -> Iterator[str]:
    name, *cells = line
    first, *more = _name_lines(name, widths[0])
    yield (first.ljust(widths[0]) + " " * _GAP + _columns(cells, widths[1:])).rstrip()
    yield from (f" {part}" for part in more)


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Numbers to the right; changes and marks, which begin alike, to the left."""
    base, *rest = cells
    texts = [base.rjust(widths[0])]
    for place, (cell, width) in enumerate(zip(rest, widths[1:], strict=True)):
        texts.append(cell.rjust(width) if place % _CELLS_OF_HEAD == 0 else cell.ljust(width))
    return (" " * _GAP).join(texts)


def _widths(lines: Sequence[_Line]) -> list[int]:
    return [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]


def _longest_part(lines: Sequence[_Line]) -> int:
    """The longest change of a name, which is never broken inside."""
    return max(len(part) + 1 for line in lines for part in line[0].split(","))


def _name_lines(name: str, width: int) -> list[str]:
    if len(name) <= width:
        return [name]
    lines = textwrap.wrap(name.replace(",", ", "), width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(", ", ",") for line in lines]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)

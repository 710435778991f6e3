"""An analysis as text for a terminal of any width."""

import textwrap
from collections.abc import Iterator, Sequence

from msanet_bench.analyze import Analysis
from msanet_bench.analyze.document import Block, Grid, Heading, document

_GAP = 2


def render_text(analysis: Analysis, width: int) -> str:
    """Headings, sentences and aligned tables; columns that do not fit stand on a second line of each row."""
    lines = [line for block in document(analysis) for line in _block(block, width)]
    return "\n".join(lines).strip("\n") + "\n"


def _block(block: Block, width: int) -> Iterator[str]:
    match block:
        case Heading(text):
            yield from ("", text)
        case Grid():
            yield from _grid(block, width)
        case _:
            for item in block.items:
                indent = " " * (len(item) - len(item.lstrip()))
                yield from textwrap.wrap(
                    item,
                    width,
                    subsequent_indent=f"{indent}  ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )


def _grid(grid: Grid, width: int) -> Iterator[str]:
    rows = [grid.header, *grid.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(grid.header))]
    lines = _packed(widths, width)
    for row in rows:
        for line in lines:
            yield _line(row, line, widths)


def _packed(widths: Sequence[int], width: int) -> list[list[int]]:
    """Which columns share a line: as many as fit, from the left."""
    lines = [[0]]
    room = width - widths[0]
    for column in range(1, len(widths)):
        room -= _GAP + widths[column]
        if room < 0:
            lines.append([])
            room = width - _GAP - widths[column]
        lines[-1].append(column)
    return lines


def _line(row: Sequence[str], columns: Sequence[int], widths: Sequence[int]) -> str:
    cells = [
        row[0].ljust(widths[0]) if column == 0 else row[column].rjust(widths[column]) for column in columns
    ]
    indent = "" if columns[0] == 0 else " " * _GAP
    return (indent + (" " * _GAP).join(cells)).rstrip()

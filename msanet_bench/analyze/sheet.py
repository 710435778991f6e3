"""Anybody's table of results: a CSV file as text cells, with the line that each row stands in."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msanet_bench.errors import ResultsError

_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number in the file, from 1, and its cells by column; an empty cell is ''."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text."""

    source: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]

    def cells(self, column: str) -> list[str]:
        return [line.cells[column] for line in self.lines]


def read_sheet(path: Path) -> Sheet:
    """The table of a file, its columns parted by commas, semicolons or tabs.

    Raises:
        ResultsError: the file cannot be read, has no rows, or a row does not fit its header.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path}: must be text in UTF-8, but byte {error.start} is none.") from error
    try:
        return _sheet(str(path), text)
    except csv.Error as error:
        raise ResultsError(f"{path}: is no table of comma-separated values ({error}).") from error


def _sheet(source: str, text: str) -> Sheet:
    comments, body = _without_comments(text)
    delimiter = _delimiter(body)
    reader = csv.reader(io.StringIO(body), delimiter=delimiter, strict=True)
    stripped = ((comments + reader.line_num, [cell.strip() for cell in row]) for row in reader)
    rows = [(line, row) for line, row in stripped if any(row)]
    if len(rows) < 2:  # noqa: PLR2004 - a header and a row
        raise ResultsError(f"{source}: has no rows below a header.")
    columns = _columns(source, *rows[0])
    return Sheet(source, columns, tuple(_lines(source, columns, rows[1:])))


def _without_comments(text: str) -> tuple[int, str]:
    """How many lines of comment stand at the top, and what is below them."""
    lines = text.splitlines(keepends=True)
    number = 0
    while number < len(lines) and _is_comment(lines[number]):
        number += 1
    return number, "".join(lines[number:])


def _is_comment(line: str) -> bool:
    # numpy writes its header as a comment: that one has delimiters
    return line.startswith("#") and not any(delimiter in line for delimiter in _DELIMITERS)


def _delimiter(text: str) -> str:
    """What parts the header into most columns."""
    header = text.split("\n", 1)[0]
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def _columns(source: str, number: int, header: Sequence[str]) -> tuple[str, ...]:
    named = [name.removeprefix("#").strip() or f"column {place}" for place, name in enumerate(header, 1)]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise ResultsError(f"{source}:{number}: two columns are called `{twice}`. Rename one.")
    return tuple(named)


def _lines(source: str, columns: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> Iterator[Line]:
    for number, row in rows:
        if len(row) != len(columns):
            raise ResultsError(
                f"{source}:{number}: must have {len(columns)} cells as the header has, but has {len(row)}."
            )
        yield Line(number, dict(zip(columns, row, strict=True)))

"""A report in short, between two markers of a Markdown page; all else of the page stays, byte for byte."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from msanet_bench.errors import BenchError
from msanet_bench.records import replace_text
from msanet_bench.report.document import Cell, Report, Table
from msanet_bench.report.markdown import escape, render_blocks, table
from msanet_bench.report.numbers import plural

# The tables of variants in short: these columns and every latency, of so many rows.
_COLUMNS = (
    "variant",
    "accuracy, % [95 %]",
    "difference, pp",
    "95 %, this test set",
    "verdict",
    "params",
    "MACs",
)
_LATENCY = "latency, ms ("
_ROWS = 20

# Deeper in, a line is code.
_MARKER = re.compile(r" {0,3}<!-- *msanet-bench:(?P<kind>begin|end)(?: +(?P<name>.*?))? *-->[ \t\r]*")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")


def excerpt(report: Report, folder: str) -> str:
    """The first section of a report, its tables of variants in short as one, and a link to the whole.

    `folder` is the report's folder as the page links to it.
    """
    first, *others = report.sections
    parts = [render_blocks(first.blocks, folder=f"{folder}/")]
    variants = [block for section in others if section.title == "Variants" for block in section.blocks]
    whole = [block for block in variants if isinstance(block, Table) and "variant" in block.header]
    if whole:
        parts.append(table(_in_short(whole)))
    more = len(whole[0].rows) - _ROWS if whole else 0
    rest = f"{plural(more, 'more variant')} and the rest" if more > 0 else "The rest"
    return "\n\n".join([*parts, f"{rest}: [{escape(report.title)}]({folder}/report.md)."])


def link_to(folder: Path, page: Path) -> str:
    """A folder as a link in a page's Markdown, relative to where the page lies."""
    return quote(Path(os.path.relpath(folder.resolve(), page.resolve().parent)).as_posix())


def filled_page(page: Path, name: str, part: str) -> str:
    """The text of a page with the part between its markers for `name`, or its plain ones if it has no such.

    Raises:
        BenchError: the page cannot be read, or its markers are missing, there twice or in the wrong order.
    """
    try:
        # in bytes: line endings are the page's own
        text = page.read_bytes().decode("utf-8")
    except OSError as error:
        raise BenchError(f"{page}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise BenchError(f"{page}: not UTF-8 text ({error.reason} at byte {error.start}).") from error
    begin, end = _pair(page, name, list(_markers(text)))
    before, after = text[: begin.stop], text[end.start :]
    newline = "\r\n" if before.endswith("\r\n") else "\n"
    return before + f"{part}\n".replace("\n", newline) + after


def write_page(page: Path, text: str) -> None:
    """Write a page, unless it reads so already; a link to a page stays a link.

    Raises:
        ResultsError: the disk refuses; the page is as it was.
    """
    if page.read_bytes() != text.encode():
        replace_text(page.resolve(), text)


class _Marker(NamedTuple):
    """A marker alone on its line, which begins at `start`; the next one begins at `stop`."""

    kind: str
    name: str
    line: int
    start: int
    stop: int


def _in_short(tables: Sequence[Table]) -> Table:
    """One table of the columns that are wanted, each where it first stands; all have the same rows."""
    columns: dict[str, tuple[Cell, ...]] = {}
    for whole in tables:
        for place, title in enumerate(whole.header):
            if title in _COLUMNS or _LATENCY in title:
                columns.setdefault(title, tuple(row[place] for row in whole.rows[:_ROWS]))
    return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)))


def _markers(text: str) -> Iterator[_Marker]:
    """The markers of a page; those in a block of code are an example and do not count."""
    fence, start = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        stop = start + len(line) + 1
        fence_here, found = _FENCE.match(line), _MARKER.fullmatch(line)
        if fence:
            fence = "" if _closes(line, fence) else fence
        elif fence_here:
            fence = fence_here[1]
        elif found:
            yield _Marker(found["kind"], found["name"] or "", number, start, stop)
        start = stop


def _closes(line: str, fence: str) -> bool:
    """A block of code ends with a fence like its first one, as long or longer, and nothing behind it."""
    closing = _FENCE.match(line)
    return closing is not None and closing[1].startswith(fence) and not line[closing.end() :].strip()


def _pair(page: Path, name: str, markers: Sequence[_Marker]) -> tuple[_Marker, _Marker]:
    """The begin and the end that belong to `name`; next to each other, for a marker between would be lost."""
    wanted = name if any(marker.name == name for marker in markers) else ""
    mine = [place for place, marker in enumerate(markers) if marker.name == wanted]
    if [markers[place].kind for place in mine] != ["begin", "end"] or mine[1] != mine[0] + 1:
        found = "; ".join(_lines(kind, [markers[place] for place in mine]) for kind in ("begin", "end"))
        named = f" {wanted}" if wanted else ""
        raise BenchError(
            f"{page}: must have a line `<!-- msanet-bench:begin{named} -->` and below it a line "
            f"`<!-- msanet-bench:end{named} -->`, each once and no other marker between them. "
            f"Found: {found}. The page is left as it is."
        )
    return markers[mine[0]], markers[mine[1]]


def _lines(kind: str, markers: Sequence[_Marker]) -> str:
    numbers = ", ".join(str(marker.line) for marker in markers if marker.kind == kind)
    return f"{kind} in {'line ' + numbers if numbers else 'no line'}"

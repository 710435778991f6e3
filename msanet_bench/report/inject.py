"""A report in short, between two markers of a Markdown page; all else of the page stays, byte for byte."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from msanet_bench.errors import BenchError
from msanet_bench.records import replace_text
from msanet_bench.report.document import Block, Cell, Paragraph, Report, Scatter, Section, Table
from msanet_bench.report.latency import DEVICES
from msanet_bench.report.markdown import escape, render_blocks
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

# Where there are more variants, what the components are worth and cost says it in fewer rows.
_CREDIT_COLUMNS = (
    "component",
    "remove from full",
    "verdict",
    "add to none",
    "average",
    "Shapley",
    "params",
    "MACs",
    *(f"{device}, ms [95 %]" for device in DEVICES.values()),
)
_COSTS = "What each costs is by Shapley's rule too."

# Deeper in, a line is code.
_MARKER = re.compile(r" {0,3}<!-- *msanet-bench:(?P<kind>begin|end)(?: +(?P<name>.*?))? *-->[ \t\r]*")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")


def excerpt(report: Report, folder: str) -> str:
    """The first section of a report, its variants in short, and a link to the whole.

    Of a few variants it is their table. Of many it is what their components are worth and cost, and accuracy
    against latency as a figure; where a design has no components, the first rows of the table.
    `folder` is the report's folder as the page links to it.
    """
    first, *others = report.sections
    variants, components = _tables(others, "Variants", "variant"), _tables(others, "Credit", "component")
    more = len(variants[0].rows) - _ROWS if variants else 0
    blocks: list[Block] = [*first.blocks]
    rest = "The rest"
    if more > 0 and components:
        blocks += [_explained(others), _in_short(components, _CREDIT_COLUMNS), *_trades(others)]
    elif variants:
        blocks.append(_in_short(variants, _COLUMNS))
        rest = f"{plural(more, 'more variant')} and the rest" if more > 0 else rest
    short = render_blocks(blocks, folder=f"{folder}/")
    return f"{short}\n\n{rest}: [{escape(report.title)}]({folder}/report.md)."


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


def _tables(sections: Sequence[Section], title: str, subject: str) -> list[Table]:
    """The tables of a section that have a row for each of its subjects."""
    blocks = [block for section in sections if section.title == title for block in section.blocks]
    return [block for block in blocks if isinstance(block, Table) and subject in block.header]


def _explained(sections: Sequence[Section]) -> Paragraph:
    """How the components' worth and costs are to be read."""
    blocks = (block for section in sections if section.title == "Credit" for block in section.blocks)
    rules = next(block.text for block in blocks if isinstance(block, Paragraph))
    return Paragraph(f"{rules} {_COSTS}")


def _trades(sections: Sequence[Section]) -> list[Scatter]:
    """Accuracy against latency, a figure for each kind of device."""
    blocks = (block for section in sections if section.title == "Latency" for block in section.blocks)
    return [block for block in blocks if isinstance(block, Scatter)]


def _in_short(tables: Sequence[Table], wanted: Sequence[str]) -> Table:
    """One table of some columns, each where it first stands; the rows are those that all tables have."""
    columns: dict[str, tuple[Cell, ...]] = {}
    shared = min(_ROWS, *(len(whole.rows) for whole in tables))
    for whole in tables:
        for place, title in enumerate(whole.header):
            if title in wanted or _LATENCY in title:
                columns.setdefault(title, tuple(row[place] for row in whole.rows[:shared]))
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

"""The report as one HTML page that fetches nothing: figures, style and script stand in it."""

import base64
import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markdown_it import MarkdownIt

from msanet_bench.report.document import Bar, Cell, Code, Figure, Point, Report, Scatter, Section
from msanet_bench.report.markdown import code
from msanet_bench.report.svg import inlined

# Raw tags are text; a picture would be fetched, those of the report are drawn in the page.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")

# What may stand before the first number of a cell: `[0.90, 0.94]`, `< 0.001`.
_NUMBER = re.compile(r"[\[(<>=~\s]*([+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)", re.IGNORECASE)


def page(report: Report, texts: Mapping[str, str]) -> str:
    """The whole page; its figures are among the `texts` of the report's files, by their paths."""
    style, script = _part("page.css"), _part("page.js")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "kind": lambda block: type(block).__name__,
        "inline": _MARKDOWN.renderInline,
        "code": lambda cell: _MARKDOWN.renderInline(code(cell.text)),
        "sort_value": sort_value,
        "drawing": lambda figure: _drawing(figure, texts[f"figures/{figure.name}.svg"]),
    }
    return environment.from_string(_part("page.html")).render(
        report=report,
        sections=list(_anchored(report)),
        policy=_policy(style, script),
        style=style,
        script=script,
    )


def sort_value(cell: Cell, whole: bool) -> str | None:  # noqa: FBT001 (Jinja passes it by position)
    """The number that a cell is sorted by, its first or the `whole` of it; None where it sorts as text."""
    text = cell.text if isinstance(cell, Code) else cell
    found = _NUMBER.fullmatch(text) if whole else _NUMBER.match(text)
    return found[1].replace(",", "") if found else None


def _part(name: str) -> str:
    return files("msanet_bench.report").joinpath("page", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, and nothing but this very style and script has any effect."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _anchored(report: Report) -> Iterator[tuple[str, Section]]:
    """Each section with the anchor that GitHub gives its heading."""
    seen: Counter[str] = Counter()
    for section in report.sections:
        anchor = re.sub(r"[^\w -]", "", section.title.lower()).replace(" ", "-")
        yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor, section
        seen[anchor] += 1


def _drawing(figure: Figure, svg: str) -> str:
    notes = (
        {f"point-{index}": _note(figure, point) for index, point in enumerate(figure.points)}
        if isinstance(figure, Scatter)
        else {}
    )
    return inlined(svg, prefix=f"figure-{figure.name}-", caption=f"figure-{figure.name}", notes=notes)


def _note(scatter: Scatter, point: Point) -> str:
    """What is said of a point, in three lines."""
    return "\n".join(
        (
            point.name or point.label,
            f"{scatter.y_axis}: {_with_interval(point.y)}",
            f"{scatter.x_axis}: {_with_interval(point.x)}",
        )
    )


def _with_interval(bar: Bar) -> str:
    known = [value for value in bar if not math.isnan(value)]
    decimals = _decimals(min(map(abs, known)))
    estimate, *ends = (f"{value:,.{decimals}f}" for value in known)
    return f"{estimate} [{', '.join(ends)}]" if ends else estimate


def _decimals(size: float) -> int:
    """As many as show three digits, at least two; from a thousand on none."""
    if size == 0:
        return 2
    decimals = 2 - math.floor(math.log10(size))
    return 0 if decimals < 0 else max(decimals, 2)

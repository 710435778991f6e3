"""Axes whose rows are named at the left, from top to bottom, as high as their names need."""

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msanet_bench.report.figures.style import LIGHT, WIDTH

# With more rows a figure is no longer seen at once; the table has them all.
MOST_ROWS = 40

# inches
_LINE, _TOP, _BOTTOM = 0.15, 0.45, 0.55
_LABEL_CHARACTERS = 48
INCHES_PER_CHARACTER = 0.075

_Row = TypeVar("_Row")


class Rows(NamedTuple):
    """A drawing, its axes, and the middle of each row in inches from the top of the axes."""

    figure: Figure
    axes: Axes
    centres: list[float]


def row_axes(
    labels: Sequence[str], axis: str, *, height: float = 0.24, head: float = 0.0, right: float = 0.2
) -> Rows:
    """Rows of this height; `head` is added above them and `right` left free beside them, all in inches."""
    wrapped = [wrap(label) for label in labels]
    heights = [height + _LINE * label.count("\n") for label in wrapped]
    longest = max(len(line) for label in wrapped for line in label.split("\n"))
    left, inner = 0.25 + INCHES_PER_CHARACTER * longest, sum(heights)
    total = _TOP + head + inner + _BOTTOM
    figure = Figure(figsize=(WIDTH, total))
    axes = figure.add_axes((left / WIDTH, _BOTTOM / total, (WIDTH - left - right) / WIDTH, inner / total))
    centres = [sum(heights[:index]) + heights[index] / 2 for index in range(len(heights))]
    axes.set_ylim(inner, 0)
    axes.set_yticks(centres, wrapped)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(axis)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    return Rows(figure, axes, centres)


def largest(rows: Sequence[_Row], size: Callable[[_Row], float]) -> tuple[Sequence[_Row], list[str]]:
    """The rows to draw, in the given order, and what to say of those that are left out."""
    if len(rows) <= MOST_ROWS:
        return rows, []
    # what has no number is the first to go
    sizes = [-math.inf if math.isnan(size(row)) else size(row) for row in rows]
    chosen = sorted(range(len(rows)), key=lambda index: -sizes[index])[:MOST_ROWS]
    return [rows[index] for index in sorted(chosen)], [f"{MOST_ROWS} of {len(rows)}, the largest."]


def wrap(label: str, characters: int = _LABEL_CHARACTERS) -> str:
    """A long name in several lines, broken after commas."""
    return "\n".join(textwrap.wrap(re.sub(",(?! )", ", ", label), characters, break_on_hyphens=False))

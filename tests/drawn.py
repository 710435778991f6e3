"""One figure of every kind with planted numbers, and what was drawn of it."""

import html
import math
import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from msanet_bench.analysis.classification import Bin
from msanet_bench.report.document import (
    Bar,
    Budget,
    BudgetRow,
    Figure,
    Forest,
    ForestRow,
    Level,
    Matrix,
    MatrixCell,
    Point,
    Progress,
    Scatter,
    Step,
    Strip,
    StripRow,
    Tried,
    Waterfall,
)
from msanet_bench.report.graphics import Confusion, Picture, Pictures, Reliability

NOTHING = math.nan
GREYS = np.linspace(0, 1, 6).reshape(2, 3)
PICTURES = (Picture(GREYS, "image"), Picture(GREYS, "heat"))
BINS = (Bin(0.0, 0.5, 0, NOTHING, NOTHING), Bin(0.5, 1.0, 4, 0.8, 0.75))


def around(estimate: float, half: float) -> Bar:
    return Bar(estimate, estimate - half, estimate + half)


def forest(*rows: ForestRow, band: float = 0.5) -> Forest:
    return Forest("effects", "alt", "points", rows, band)


def scatter(*points: Point) -> Scatter:
    return Scatter("trade", "alt", "latency", "accuracy, %", points)


def matrix(*cells: tuple[MatrixCell | None, ...], name: str = "part") -> Matrix:
    labels = tuple(f"{name} {index}" for index in range(len(cells)))
    return Matrix("interactions", "alt", labels, cells, "What the cells mean.")


def every_kind(name: str = "conv3", half: float = 0.3) -> list[Figure]:
    """Every kind of figure with this name in it; its intervals are this wide, or NaN."""
    one = around(0.5, half)
    known = [MatrixCell(value, "helps") for value in (0.5, -0.25, 1.0)]
    return [
        forest(ForestRow(name, one), ForestRow("b", one, around(0.5, 2 * half), "equal")),
        scatter(
            Point(name, around(1, half), around(90, half), "baseline", 0.2),
            Point("b", around(2, half), around(91, half), "variant", 0.9),
            Point("c", Bar(1.5, NOTHING, NOTHING), Bar(90.5, NOTHING, NOTHING), "reference"),
        ),
        Waterfall("credit", "alt", "%", Level(name, 90), (Step("b", one),), Level("full", 90.5)),
        matrix((known[0], None), (known[1], known[2]), name=name),
        Strip("runs", "alt", "%", (StripRow(name, (90.0, 90.5), around(90.25, half)),)),
        Progress("progress", "alt", name, (Tried(0, 90.0), Tried(1, None), Tried(2, 91.5))),
        Budget("budget", "alt", "%", (BudgetRow(name, (20.0, 80.0)),), ("seeds", "images")),
        Confusion("confusion", "alt", (name, "b"), np.array([[3, 1], [0, 2]])),
        Reliability(
            "reliability", "alt", name, (Bin(0.0, 0.5, 0, NOTHING, NOTHING), Bin(0.5, 1, 4, 0.8, 0.7))
        ),
        Pictures(
            "maps", "alt", (name,), ("image", "map"), ((Picture(GREYS, "image"), Picture(GREYS, "heat")),)
        ),
    ]


def texts(svg: str) -> list[str]:
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def marks(axes: Axes, marker: str = "") -> list[Line2D]:
    """The drawn marks, those of one shape alone if it is named."""
    shapes = [marker] if marker else ["o", "s", "D", "^"]
    return [line for line in axes.lines if line.get_marker() in shapes]


def place(mark: Line2D) -> tuple[float, float]:
    """Where a single mark stands."""
    ((across, up),) = mark.get_xydata()
    return float(across), float(up)


def spans(axes: Axes) -> list[tuple[float, float]]:
    """From where to where each horizontal interval reaches."""
    lines = [line.get_xydata() for line in axes.lines if len(line.get_xydata()) == 2]
    return [(start[0], end[0]) for start, end in lines if start[1] == end[1]]

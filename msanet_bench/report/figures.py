"""Figures as SVG text with equal bytes each time: dark on white, which light and dark pages both show."""

import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from msanet_bench.report.document import Forest, Point, Scatter

# Of Okabe and Ito's colours, which colour-blind readers can tell apart.
_INK, _GREY, _LIGHT = "#1b1f24", "#6e7781", "#d0d7de"
_CLEAR, _BASELINE, _BAND = "#0072b2", "#d55e00", "#fff3cd"

_STYLE: dict[str, Any] = {
    "svg.hashsalt": "msanet-bench",
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.size": 9,
    "text.parse_math": False,  # a name may hold a dollar sign
    "text.color": _INK,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
# The user's own matplotlibrc must not change the bytes.
_STYLES: Sequence[str | dict[str, Any]] = ("default", _STYLE)

# Inches. The width is 826 pixels, which GitHub shows unshrunk.
_WIDTH, _ROW, _LINE, _TOP, _BOTTOM, _RIGHT = 8.6, 0.24, 0.15, 0.45, 0.55, 0.2
_LABEL_CHARACTERS = 48
_INCHES_PER_CHARACTER = 0.075

# Where a label may stand beside its point: offset in points, horizontal and vertical anchor.
_PLACES = (
    (6, 5, "left", "bottom"),
    (-6, 5, "right", "bottom"),
    (6, -5, "left", "top"),
    (-6, -5, "right", "top"),
)


def forest_svg(forest: Forest) -> str:
    """Estimates below each other with their intervals, around 0 and the band of what does not matter."""
    labels = [_wrapped(row.label) for row in forest.rows]
    heights = [_ROW + _LINE * label.count("\n") for label in labels]
    longest = max(len(line) for label in labels for line in label.splitlines())
    left = 0.25 + _INCHES_PER_CHARACTER * longest
    inner = sum(heights)
    with style.context(_STYLES):
        figure = Figure(figsize=(_WIDTH, _TOP + inner + _BOTTOM))
        height = _TOP + inner + _BOTTOM
        axes = figure.add_axes(
            (left / _WIDTH, _BOTTOM / height, (_WIDTH - left - _RIGHT) / _WIDTH, inner / height)
        )
        centres = [sum(heights[:index]) + heights[index] / 2 for index in range(len(heights))]
        _forest(axes, forest, centres)
        axes.set_ylim(inner, 0)
        axes.set_yticks(centres, labels)
        return _svg(figure)


def scatter_svg(scatter: Scatter) -> str:
    """Points with intervals both ways; a label that would cover another or a point is left out."""
    with style.context(_STYLES):
        figure = Figure(figsize=(_WIDTH, 5.2))
        axes = figure.add_axes((0.09, 0.11, 0.88, 0.85))
        for point in scatter.points:
            _draw(axes, point)
        axes.set_xlabel(scatter.x_axis)
        axes.set_ylabel(scatter.y_axis)
        axes.grid(color=_LIGHT, linewidth=0.5)
        axes.set_axisbelow(True)
        _label(figure, axes, scatter.points)
        return _svg(figure)


def _forest(axes: Axes, forest: Forest, centres: Sequence[float]) -> None:
    axes.axvspan(-forest.band, forest.band, color=_BAND, zorder=0)
    axes.axvline(0, color=_GREY, linewidth=1, zorder=1)
    for row, centre in zip(forest.rows, centres, strict=True):
        clear = row.bar.low > 0 or row.bar.high < 0
        colour = _CLEAR if clear else _GREY
        filling = colour if clear else "white"
        axes.plot((row.bar.low, row.bar.high), (centre, centre), color=colour, linewidth=1.6)
        axes.plot(row.bar.estimate, centre, "o", color=colour, markersize=5, markerfacecolor=filling)
    axes.set_xlabel(forest.axis)
    axes.grid(axis="x", color=_LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.set_title(_legend(forest), loc="right", fontsize=8, color=_GREY)


def _legend(forest: Forest) -> str:
    without = all(math.isnan(row.bar.low) for row in forest.rows)
    filled = "No intervals." if without else "Filled: the 95 % interval excludes 0."
    return f"{filled} Band: less than {forest.band:g} pp."


def _wrapped(label: str) -> str:
    """A long name in several lines, broken after commas."""
    return "\n".join(textwrap.wrap(_spaced(label), _LABEL_CHARACTERS, break_on_hyphens=False))


def _spaced(label: str) -> str:
    return label.replace(",", ", ")


def _draw(axes: Axes, point: Point) -> None:
    colour, marker = (_BASELINE, "D") if (point.kind == "baseline") else (_CLEAR, "o")
    x, y = point.x, point.y
    # Matplotlib draws nothing for an interval of NaN.
    for across, up in (
        ((x.low, x.high), (y.estimate, y.estimate)),
        ((x.estimate, x.estimate), (y.low, y.high)),
    ):
        axes.plot(across, up, color=colour, linewidth=0.8, alpha=0.45, zorder=2)
    axes.plot(x.estimate, y.estimate, marker, color=colour, markersize=6, zorder=3)


def _label(figure: Figure, axes: Axes, points: Sequence[Point]) -> None:
    """The baseline first, then those that nothing beats in both directions, then the rest."""
    figure.draw_without_rendering()
    taken = [_marker_box(axes, point) for point in points]
    bars = [box for point in points for box in _bar_boxes(axes, point)]
    for point in sorted(points, key=lambda point: (point.kind != "baseline", _is_beaten(point, points))):
        # better across an interval than no label at all
        box = _write(axes, point, [*taken, *bars]) or _write(axes, point, taken)
        if box is not None:
            taken.append(box)


def _write(axes: Axes, point: Point, obstacles: Sequence[Bbox]) -> Bbox | None:
    """Write the label where it covers none of them; returns what it covers, None where there is no room."""
    frame = axes.get_window_extent()
    for text in _placed(axes, point):
        box = text.get_window_extent().padded(1)
        if _is_inside(box, frame) and not any(box.overlaps(other) for other in obstacles):
            return box
        text.remove()
    return None


def _is_inside(box: Bbox, frame: Bbox) -> bool:
    return bool(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1)


def _placed(axes: Axes, point: Point) -> Iterator[Annotation]:
    for across, up, side, level in _PLACES:
        yield axes.annotate(
            _spaced(point.label),
            (point.x.estimate, point.y.estimate),
            (across, up),
            textcoords="offset points",
            ha=side,
            va=level,
            fontsize=8,
            color=_BASELINE if (point.kind == "baseline") else _INK,
        )


def _marker_box(axes: Axes, point: Point) -> Bbox:
    x, y = axes.transData.transform((point.x.estimate, point.y.estimate))
    return Bbox.from_extents(x - 4, y - 4, x + 4, y + 4)


def _bar_boxes(axes: Axes, point: Point) -> Iterator[Bbox]:
    x, y = point.x, point.y
    ends = (((x.low, y.estimate), (x.high, y.estimate)), ((x.estimate, y.low), (x.estimate, y.high)))
    for pair in ends:
        if not any(math.isnan(value) for end in pair for value in end):
            yield Bbox(axes.transData.transform(pair))


def _is_beaten(point: Point, points: Sequence[Point]) -> bool:
    return any(
        other.x.estimate <= point.x.estimate and other.y.estimate >= point.y.estimate and other is not point
        for other in points
    )


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    # Without date and creator the bytes depend on the numbers alone.
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()

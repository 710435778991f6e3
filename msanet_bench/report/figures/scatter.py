"""Points with intervals both ways, the more solid the surer on the front, and the front of the estimates."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from msanet_bench.analysis.pareto import non_dominated
from msanet_bench.report.document import Point, Scatter
from msanet_bench.report.figures.labels import Segment, label_points
from msanet_bench.report.figures.style import BLUE, GREY, INK, LIGHT, VERMILLION, WIDTH, Mark, explain, key

_LOOKS = {"variant": (BLUE, "o"), "baseline": (VERMILLION, "D"), "reference": (GREY, "^")}
_WORDS = {"variant": "variant", "baseline": "baseline", "reference": "from elsewhere"}

# A probability of 0 must still be seen.
_FAINTEST = 0.3
_HOLLOW_BELOW, _NAMED_FROM = 0.5, 0.1
_BAR_OPACITY = 0.45

# inches
_HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 5.4, 0.77, 0.57, 0.55, 0.26


def draw_scatter(scatter: Scatter) -> Figure:
    points = scatter.points
    figure = Figure(figsize=(WIDTH, _HEIGHT))
    inner = ((WIDTH - _LEFT - _RIGHT) / WIDTH, (_HEIGHT - _BOTTOM - _TOP) / _HEIGHT)
    axes = figure.add_axes((_LEFT / WIDTH, _BOTTOM / _HEIGHT, *inner))
    front = front_of(points)
    across, up = [points[index].x.estimate for index in front], [points[index].y.estimate for index in front]
    axes.plot(across, up, drawstyle="steps-post", color=GREY, linewidth=1, zorder=1.5)
    _draw_bars(axes, points)
    for index, point in enumerate(points):
        _draw(axes, index, point)
    axes.set_xlabel(scatter.x_axis)
    axes.set_ylabel(scatter.y_axis)
    axes.grid(color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    _explain(axes, points, has_front=len(front) > 1)
    obstacles = [*_bars(points), *_steps(across, up)]
    label_points(figure, axes, _named(points, front), points, obstacles)
    return figure


def opacity(point: Point) -> float:
    """From the faintest to 1 with a variant's probability to be on the front; 1 where that is not known."""
    if point.kind != "variant" or point.front is None:
        return 1.0
    return _FAINTEST + (1 - _FAINTEST) * point.front


def is_hollow(point: Point) -> bool:
    return point.front is not None and point.front < _HOLLOW_BELOW


def front_of(points: Sequence[Point]) -> list[int]:
    """Which points no other beats in both estimates, the cheapest first; rows from elsewhere stand apart."""
    ours = [index for index, point in enumerate(points) if point.kind != "reference"]
    costs = np.array([points[index].x.estimate for index in ours], dtype=np.float64)
    means = np.array([points[index].y.estimate for index in ours], dtype=np.float64)
    found = [index for index, is_on in zip(ours, non_dominated(means, costs), strict=True) if is_on]
    return sorted(found, key=lambda index: points[index].x.estimate)


def _draw_bars(axes: Axes, points: Sequence[Point]) -> None:
    """The fainter the point, the fainter its intervals."""
    owners = [point for point in points for _ in _bars([point])]
    colours = [to_rgba(_LOOKS[point.kind][0], _BAR_OPACITY * opacity(point)) for point in owners]
    axes.add_collection(LineCollection(list(_bars(points)), colors=colours, linewidths=0.8, zorder=2))


def _draw(axes: Axes, index: int, point: Point) -> None:
    colour, marker = _LOOKS[point.kind]
    axes.plot(
        point.x.estimate,
        point.y.estimate,
        marker,
        color=colour,
        markersize=6,
        markerfacecolor="white" if is_hollow(point) else colour,
        alpha=opacity(point),
        zorder=3 if point.kind == "variant" else 4,
        # a page that shows the figure finds the point by it
        gid=f"point-{index}",
    )


def _bars(points: Sequence[Point]) -> Iterator[Segment]:
    """The intervals that there are, across and upright."""
    for _, x, y, *_ in points:
        if not math.isnan(x.low):
            yield (x.low, y.estimate), (x.high, y.estimate)
        if not math.isnan(y.low):
            yield (x.estimate, y.low), (x.estimate, y.high)


def _steps(across: Sequence[float], up: Sequence[float]) -> Iterator[Segment]:
    for (x, next_x), (y, next_y) in zip(pairwise(across), pairwise(up), strict=True):
        yield (x, y), (next_x, y)
        yield (next_x, y), (next_x, next_y)


def _named(points: Sequence[Point], front: Sequence[int]) -> list[Point]:
    """The baseline, the likeliest on the front, rows from elsewhere; the hardly likely have no name."""

    def rank(index: int) -> tuple[bool, bool, float, bool]:
        kind, likely = points[index].kind, points[index].front
        return kind != "baseline", kind == "reference", -(likely or 0), index not in front

    order = sorted(range(len(points)), key=rank)
    return [points[index] for index in order if _has_name(points[index])]


def _has_name(point: Point) -> bool:
    return point.kind != "variant" or point.front is None or point.front >= _NAMED_FROM


def _explain(axes: Axes, points: Sequence[Point], *, has_front: bool) -> None:
    """What occurs, and no more."""
    known = any(point.front is not None for point in points)
    kinds = [kind for kind in _LOOKS if any(point.kind == kind for point in points)]
    marks = [
        Mark(colour, marker, 6, colour, _WORDS[kind]) for kind in kinds for colour, marker in [_LOOKS[kind]]
    ]
    if any(map(is_hollow, points)):
        marks.append(Mark(INK, "o", 6, "white", "hollow: less likely on the front than not"))
    front = [Line2D([], [], color=GREY, linewidth=1, label="front of the estimates")] if has_front else []
    fainter = ["The fainter a variant, the less likely it stands on the front."] if known else []
    explain(axes, fainter, [*map(key, marks), *front])

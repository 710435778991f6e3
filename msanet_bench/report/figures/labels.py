"""Names beside the points of a scatter plot; a name that would cover another or a point is left out."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from numpy.typing import NDArray

from msanet_bench.report.document import Point
from msanet_bench.report.figures.rows import wrap
from msanet_bench.report.figures.style import GREY, INK, SMALL, VERMILLION

Segment: TypeAlias = tuple[tuple[float, float], tuple[float, float]]

# Behind a name that has to cover points: clear of neither the first nor the second set of obstacles.
_COVERING = 2
_CARD = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0}

# Left, bottom, right, top in pixels, shape (..., 4).
_Boxes: TypeAlias = NDArray[np.float64]

_COLOURS = {"baseline": VERMILLION, "variant": INK, "reference": GREY}
# Points from the middle of a mark to its name, and pixels: half a mark, and what stays free around a name.
_ACROSS, _UP = 6, 5
_CHARACTERS = 32
_MARK, _FREE = 4, 1


class _Place(NamedTuple):
    """On which side of its point a name stands: 1 is right or above, -1 left or below."""

    side: int
    level: int


_PLACES = (_Place(1, 1), _Place(-1, 1), _Place(1, -1), _Place(-1, -1))


def label_points(
    figure: Figure, axes: Axes, named: Sequence[Point], points: Sequence[Point], lines: Sequence[Segment]
) -> None:
    """Name points in this order: clear of other names and named points, better of all points and lines."""
    # fixes the limits of the axes
    figure.draw_without_rendering()
    # a canvas that keeps its means of measuring text
    FigureCanvasAgg(figure)
    marks, drawn, taken = _marks(axes, points), _lines(axes, lines), _marks(axes, named)
    for point in named:
        # the baseline has its name in any crowd
        last = [np.empty((0, 4))] if point.kind == "baseline" else []
        box = _write(axes, point, [np.vstack([taken, marks, drawn]), np.vstack([taken, marks]), taken, *last])
        if box is not None:
            taken = np.vstack([taken, box])


def _write(axes: Axes, point: Point, obstacles: Sequence[_Boxes]) -> _Boxes | None:
    """Write the name where it covers none of the first obstacles that leave room; returns what it covers."""
    text = axes.annotate(
        wrap(point.label, _CHARACTERS),
        (point.x.estimate, point.y.estimate),
        (0, 0),
        textcoords="offset points",
        fontsize=SMALL,
        color=_COLOURS[point.kind],
        zorder=5,
    )
    frame = np.asarray(axes.get_window_extent().extents)
    choices = list(_choices(axes, text))
    for index, covered in enumerate(obstacles):
        for place, box in choices:
            if _is_inside(box, frame) and not _overlaps(box, covered):
                text.set(ha="left" if place.side > 0 else "right", va="bottom" if place.level > 0 else "top")
                text.set_position((place.side * _ACROSS, place.level * _UP))
                text.set_bbox(_CARD if index >= _COVERING else None)
                return box
    text.remove()
    return None


def _choices(axes: Axes, text: Annotation) -> Iterator[tuple[_Place, _Boxes]]:
    """What the name would cover in each place."""
    extent, scale = text.get_window_extent(), axes.figure.dpi / 72
    middle = _pixels(axes, [text.xy])[0]
    size = np.array([extent.width, extent.height])
    for place in _PLACES:
        near = middle + np.array([_ACROSS, _UP]) * place * scale
        far = near + size * place
        yield place, np.concatenate([np.minimum(near, far) - _FREE, np.maximum(near, far) + _FREE])


def _pixels(axes: Axes, points: Sequence[tuple[float, float]]) -> _Boxes:
    return np.asarray(axes.transData.transform(np.asarray(points, dtype=np.float64).reshape(-1, 2)))


def _marks(axes: Axes, points: Sequence[Point]) -> _Boxes:
    middles = _pixels(axes, [(point.x.estimate, point.y.estimate) for point in points])
    return np.hstack([middles - _MARK, middles + _MARK])


def _lines(axes: Axes, lines: Sequence[Segment]) -> _Boxes:
    ends = _pixels(axes, [end for line in lines for end in line]).reshape(-1, 2, 2)
    return np.hstack([ends.min(axis=1), ends.max(axis=1)])


def _is_inside(box: _Boxes, frame: _Boxes) -> bool:
    return bool((box[:2] >= frame[:2]).all() and (box[2:] <= frame[2:]).all())


def _overlaps(box: _Boxes, boxes: _Boxes) -> bool:
    return bool(((boxes[:, :2] <= box[2:]) & (boxes[:, 2:] >= box[:2])).all(axis=1).any())

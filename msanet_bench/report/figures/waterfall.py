"""From one level to another: each step begins where the last one ended."""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from msanet_bench.report.document import Step, Waterfall
from msanet_bench.report.figures.rows import row_axes
from msanet_bench.report.figures.style import BLUE, GREY, INK, VERMILLION, explain, number

# inches; one row is what a name on one line needs
_ROW, _BAR, _NUMBERS = 0.28, 0.17, 0.75

_UP: Mapping[str, Any] = {"facecolor": BLUE, "edgecolor": "white", "linewidth": 0}
_DOWN: Mapping[str, Any] = {"facecolor": VERMILLION, "edgecolor": "white", "linewidth": 0, "hatch": "////"}


def draw_waterfall(waterfall: Waterfall) -> Figure:
    steps = waterfall.steps
    labels = [waterfall.start.label, *(step.label for step in steps), waterfall.end.label]
    figure, axes, centres = row_axes(labels, waterfall.axis, height=_ROW, head=0.2, right=_NUMBERS)
    levels = _levels(waterfall)
    # else bars would reach to the frame and cut the dots at their ends
    axes.use_sticky_edges = False
    for step, level, centre in zip(steps, levels, centres[1:], strict=False):
        _draw(axes, step, level, centre)
    # Dots, since bars of levels would have to begin at 0, where no step could be seen.
    for level, centre in ((levels[0], centres[0]), (levels[-1], centres[-1])):
        axes.plot(level, centre, "o", color=INK, markersize=6, zorder=3)
    for level, (above, below) in zip(levels, pairwise(centres), strict=True):
        axes.plot((level, level), (above, below), color=GREY, linewidth=0.8, zorder=1)
    _write_values(axes, waterfall, centres)
    _explain(axes, steps)
    return figure


def _levels(waterfall: Waterfall) -> list[float]:
    """Where the start and each step end."""
    changes = (step.bar.estimate for step in waterfall.steps)
    levels = list(accumulate(changes, initial=waterfall.start.value))
    if not math.isclose(levels[-1], waterfall.end.value, abs_tol=1e-6):
        raise ValueError(f"steps must lead to the end, {waterfall.end.value}, but lead to {levels[-1]}.")
    return levels


def _draw(axes: Axes, step: Step, level: float, centre: float) -> None:
    change, low, high = step.bar
    axes.barh(centre, change, _BAR, left=level, zorder=2, **(_DOWN if change < 0 else _UP))
    ends = (level + low, level + high)
    axes.plot(ends, (centre, centre), "|-", color=INK, linewidth=1, markersize=6, zorder=3)


def _write_values(axes: Axes, waterfall: Waterfall, centres: Sequence[float]) -> None:
    """Beside the axes, where no bar can cover them."""
    values = [
        number(waterfall.start.value),
        *(number(step.bar.estimate, signed=True) for step in waterfall.steps),
        number(waterfall.end.value),
    ]
    for value, centre in zip(values, centres, strict=True):
        axes.annotate(
            value,
            (1, centre),
            xycoords=("axes fraction", "data"),
            xytext=(46, 0),
            textcoords="offset points",
            ha="right",
            va="center",
        )


def _explain(axes: Axes, steps: Sequence[Step]) -> None:
    signs = {step.bar.estimate < 0 for step in steps}
    keys = [Patch(label="gain", **_UP)] if False in signs else []
    keys += [Patch(label="loss", **_DOWN)] if True in signs else []
    has_intervals = any(not math.isnan(step.bar.low) for step in steps)
    explain(axes, ["Whiskers: 95 % interval of each step." if has_intervals else "No intervals."], keys)

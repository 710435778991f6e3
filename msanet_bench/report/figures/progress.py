"""The trials of a search in the order of asking, and the best so far."""

from collections.abc import Sequence
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from msanet_bench.report.document import Progress
from msanet_bench.report.figures.style import BLUE, GREY, INK, LIGHT, WIDTH, Mark, explain, key

# inches
_HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 3.2, 0.77, 0.57, 0.45, 0.26

_COMPLETE = Mark(BLUE, "o", 4.5, "none", "a complete trial")
_NOT_TRAINED = Mark(GREY, "|", 6, GREY, "asked for, but without a result")


def draw_progress(progress: Progress) -> Figure:
    figure = Figure(figsize=(WIDTH, _HEIGHT))
    inner = ((WIDTH - _LEFT - _RIGHT) / WIDTH, (_HEIGHT - _BOTTOM - _TOP) / _HEIGHT)
    axes = figure.add_axes((_LEFT / WIDTH, _BOTTOM / _HEIGHT, *inner))
    complete = [(trial.number, trial.value) for trial in progress.trials if trial.value is not None]
    numbers, values = [number for number, _ in complete], [value for _, value in complete]
    best = list(accumulate(values, max))
    last = progress.trials[-1].number
    axes.plot([*numbers, last], [*best, *best[-1:]], color=INK, linewidth=1.4, drawstyle="steps-post")
    _marks(axes, numbers, values, _COMPLETE)
    others = [trial.number for trial in progress.trials if trial.value is None]
    floor = min(values) - 0.06 * (max(values) - min(values) or 1.0)
    _marks(axes, others, [floor] * len(others), _NOT_TRAINED)
    axes.set_xlabel("trial")
    axes.set_ylabel(progress.axis)
    axes.grid(axis="y", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    line = Line2D([], [], color=INK, linewidth=1.4, label="best so far")
    explain(axes, [], [line, key(_COMPLETE), *([key(_NOT_TRAINED)] if others else [])])
    return figure


def _marks(axes: Axes, across: Sequence[int], up: Sequence[float], mark: Mark) -> None:
    axes.plot(
        across,
        up,
        mark.marker,
        color=mark.colour,
        markersize=mark.size,
        markerfacecolor=mark.filling,
        linestyle="none",
    )

"""Is the network right as often as it says? Accuracy against confidence, and how many images say so."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from msanet_bench.report.figures.style import BLUE, GREY, LIGHT, WIDTH, explain
from msanet_bench.report.graphics import Reliability

# inches
_LEFT, _RIGHT, _BOTTOM, _TOP, _APART = 0.9, 0.3, 0.55, 0.55, 0.15
_UPPER, _LOWER = 3.4, 1.1


def draw_reliability(reliability: Reliability) -> Figure:
    total = _BOTTOM + _LOWER + _APART + _UPPER + _TOP
    figure = Figure(figsize=(WIDTH, total))
    wide = (WIDTH - _LEFT - _RIGHT) / WIDTH
    lower = figure.add_axes((_LEFT / WIDTH, _BOTTOM / total, wide, _LOWER / total))
    upper = figure.add_axes(
        (_LEFT / WIDTH, (_BOTTOM + _LOWER + _APART) / total, wide, _UPPER / total), sharex=lower
    )
    _draw_accuracy(upper, reliability)
    for each in reliability.bins:
        lower.bar(each.low, each.images, each.high - each.low, align="edge", color=GREY, edgecolor="white")
    lower.set_xlabel("confidence: the probability of the class that is named")
    lower.set_ylabel("images")
    return figure


def _draw_accuracy(axes: Axes, reliability: Reliability) -> None:
    for each in reliability.bins:
        if each.images:
            wide = each.high - each.low
            axes.bar(each.low, each.accuracy, wide, align="edge", color=BLUE, alpha=0.35, edgecolor="white")
            axes.plot(each.confidence, each.accuracy, "o", color=BLUE, markersize=5, zorder=3)
    axes.plot((0, 1), (0, 1), color=GREY, linewidth=1, linestyle="--", zorder=2)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_ylabel("accuracy")
    axes.tick_params(axis="x", labelbottom=False)
    axes.grid(color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    keys = [
        Patch(facecolor=BLUE, alpha=0.35, label="accuracy of a bin"),
        Line2D([], [], marker="o", color=BLUE, linestyle="none", label="at its mean confidence"),
        Line2D([], [], color=GREY, linestyle="--", label="as right as it says"),
    ]
    explain(axes, [reliability.label], keys)

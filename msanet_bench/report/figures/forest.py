"""Differences below each other with their intervals, around 0 and the band of what does not matter."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msanet_bench.report.document import Bar, Forest, ForestRow
from msanet_bench.report.figures.rows import largest, row_axes
from msanet_bench.report.figures.style import BAND, BLUE, GREY, MARKS, Mark, explain, key


def draw_forest(forest: Forest) -> Figure:
    rows, left_out = largest(forest.rows, lambda row: abs(row.bar.estimate))
    keys = [key(mark) for tone, mark in MARKS.items() if any(row.tone == tone for row in rows)]
    figure, axes, centres = row_axes([row.label for row in rows], forest.axis, head=0.2 if keys else 0)
    axes.axvspan(-forest.band, forest.band, color=BAND, zorder=0)
    axes.axvline(0, color=GREY, linewidth=1, zorder=1)
    for row, centre in zip(rows, centres, strict=True):
        _draw(axes, row, centre)
    band = f"Band: less than {forest.band:g} pp."
    explain(axes, [*left_out, *_intervals(rows), band], keys)
    return figure


def _draw(axes: Axes, row: ForestRow, centre: float) -> None:
    mark = MARKS.get(row.tone) or _plain(row.bar)
    if row.wide is not None:
        ends = (row.wide.low, row.wide.high)
        axes.plot(ends, (centre, centre), "|-", color=mark.colour, linewidth=0.8, markersize=6, zorder=2)
    axes.plot((row.bar.low, row.bar.high), (centre, centre), color=mark.colour, linewidth=2, zorder=3)
    axes.plot(
        row.bar.estimate,
        centre,
        mark.marker,
        color=mark.colour,
        markersize=mark.size,
        markerfacecolor=mark.filling,
        zorder=4,
    )


def _plain(bar: Bar) -> Mark:
    is_clear = bar.low > 0 or bar.high < 0
    colour = BLUE if is_clear else GREY
    return Mark(colour, "o", 5, colour if is_clear else "white", "")


def _intervals(rows: Sequence[ForestRow]) -> list[str]:
    """What filled dots and the two lines mean, as far as they occur."""
    if all(math.isnan(row.bar.low) for row in rows):
        return ["No intervals."]
    filled = ["Filled: the 95 % interval excludes 0."] if any(row.tone == "none" for row in rows) else []
    if any(row.wide and not math.isnan(row.wide.low) for row in rows):
        return [*filled, "Thick: 95 % interval on this test set; thin: on new data."]
    return filled or ["Lines: 95 % intervals."]

"""Totals as stacked bars, the numbers of their parts below each."""

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from msanet_bench.report.document import Budget, BudgetRow
from msanet_bench.report.figures.rows import row_axes
from msanet_bench.report.figures.style import BLUE, GREEN, SMALL, VERMILLION, explain, number

# inches: a row, its bar, and how far from the row's middle bar (above) and numbers (below) stand
_ROW, _BAR, _APART = 0.46, 0.18, 0.1

_FILLINGS = (
    (BLUE, ""),
    ("#e69f00", "////"),
    (GREEN, "----"),
    ("#cc79a7", "xxxx"),
    ("#56b4e9", "\\\\\\\\"),
    (VERMILLION, "++++"),
)


def draw_budget(budget: Budget) -> Figure:
    labels = [row.label for row in budget.rows]
    figure, axes, centres = row_axes(labels, budget.axis, height=_ROW, head=0.2)
    for row, centre in zip(budget.rows, centres, strict=True):
        _draw(axes, row, centre)
    axes.set_xlim(left=0)
    keys = [Patch(label=part, **_filling(index)) for index, part in enumerate(budget.parts)]
    explain(axes, [], keys)
    return figure


def _draw(axes: Axes, row: BudgetRow, centre: float) -> None:
    left = 0.0
    for index, share in enumerate(row.shares):
        width = 0.0 if math.isnan(share) else share
        axes.barh(centre - _APART, width, _BAR, left=left, **_filling(index))
        left += width
    # a number in the order of the legend; inside a hatched bar it could not be read
    axes.annotate(
        " + ".join(number(share) for share in row.shares),
        (0, centre + _APART),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
    )


def _filling(index: int) -> Mapping[str, Any]:
    colour, hatch = _FILLINGS[index]
    return {"facecolor": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0.6}

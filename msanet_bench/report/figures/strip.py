"""Every run as a dot, their mean below: dots hide neither outliers nor how few runs there are."""

import math

from matplotlib.figure import Figure

from msanet_bench.report.document import Strip
from msanet_bench.report.figures.rows import largest, row_axes
from msanet_bench.report.figures.style import BLUE, INK, Mark, explain, key

# inches: a row, and how far from its middle the runs (above) and the mean (below) stand
_ROW, _APART = 0.34, 0.07

_RUN = Mark(BLUE, "o", 4.5, "none", "one run")


def draw_strip(strip: Strip) -> Figure:
    rows, left_out = largest(strip.rows, lambda row: abs(row.bar.estimate))
    figure, axes, centres = row_axes([row.label for row in rows], strip.axis, height=_ROW, head=0.2)
    for row, centre in zip(rows, centres, strict=True):
        runs, mean = centre - _APART, centre + _APART
        axes.plot(
            row.values,
            [runs] * len(row.values),
            _RUN.marker,
            color=_RUN.colour,
            markersize=_RUN.size,
            markerfacecolor=_RUN.filling,
            linestyle="none",
        )
        axes.plot((row.bar.low, row.bar.high), (mean, mean), color=INK, linewidth=1.6)
        axes.plot(row.bar.estimate, mean, "D", color=INK, markersize=4)
    has_intervals = any(not math.isnan(row.bar.low) for row in rows)
    mean_key = Mark(INK, "D", 4, INK, "mean with its 95 % interval" if has_intervals else "mean")
    explain(axes, left_out, [key(_RUN), key(mean_key)])
    return figure

"""Figures as SVG text or PDF with equal bytes each time: pure functions of the report's blocks.

Dark on white, which light and dark pages both show.
"""

import io
import warnings
from collections.abc import Callable, Mapping

from matplotlib.figure import Figure as Drawing
from matplotlib.style import context

from msanet_bench.report.document import Budget, Figure, Forest, Matrix, Progress, Scatter, Strip, Waterfall
from msanet_bench.report.figures.budget import draw_budget
from msanet_bench.report.figures.confusion import draw_confusion
from msanet_bench.report.figures.forest import draw_forest
from msanet_bench.report.figures.matrix import draw_matrix
from msanet_bench.report.figures.pictures import draw_pictures
from msanet_bench.report.figures.progress import draw_progress
from msanet_bench.report.figures.reliability import draw_reliability
from msanet_bench.report.figures.scatter import draw_scatter
from msanet_bench.report.figures.strip import draw_strip
from msanet_bench.report.figures.style import STYLES
from msanet_bench.report.figures.waterfall import draw_waterfall
from msanet_bench.report.graphics import Confusion, Pictures, Reliability


def figure_svg(block: Figure) -> str:
    """The figure as SVG, its words as text; a scatter plot's points are groups `point-INDEX`."""
    buffer = io.StringIO()
    with context(STYLES), warnings.catch_warnings():
        # the reader's program has the letters that matplotlib's own font lacks
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        # without date and creator the bytes depend on the numbers alone
        draw(block).savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def figure_pdf(block: Figure) -> bytes:
    """The figure as PDF with its fonts embedded, as publishers ask for it."""
    buffer = io.BytesIO()
    nobody = dict.fromkeys(("CreationDate", "Creator", "Producer"))
    with context(STYLES):
        draw(block).savefig(buffer, format="pdf", metadata=nobody)
    return buffer.getvalue()


def draw(block: Figure) -> Drawing:
    """The figure before any format."""
    return _DRAWN_BY[type(block)](block)


_DRAWN_BY: Mapping[type[Figure], Callable[..., Drawing]] = {
    Forest: draw_forest,
    Scatter: draw_scatter,
    Waterfall: draw_waterfall,
    Matrix: draw_matrix,
    Strip: draw_strip,
    Budget: draw_budget,
    Progress: draw_progress,
    Confusion: draw_confusion,
    Reliability: draw_reliability,
    Pictures: draw_pictures,
}

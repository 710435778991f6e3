"""How often each class was taken for each other: right below each other, the mistakes in colour."""

import math

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from msanet_bench.report.figures.rows import INCHES_PER_CHARACTER, wrap
from msanet_bench.report.figures.style import BLUE, INK, SMALL, VERMILLION, WIDTH, explain
from msanet_bench.report.graphics import Confusion

# with more, names and numbers would lie on each other
MOST_NAMES, MOST_NUMBERS = 40, 20

# inches
_WIDEST, _EDGE, _TOP, _TITLE = 0.6, 0.2, 0.45, 0.35
_LABEL_CHARACTERS = 28
_STRONGEST = 0.7


def draw_confusion(confusion: Confusion) -> Figure:
    figure, axes = _axes(confusion)
    counts = confusion.counts
    axes.imshow(_colours(confusion), interpolation="none", aspect="equal")
    if len(counts) <= MOST_NUMBERS:
        for row, line in enumerate(counts):
            for column, count in enumerate(line):
                if count:
                    axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=SMALL, color=INK)
    axes.set_xlabel("taken for")
    axes.set_ylabel("class")
    explain(axes, ["Images of a class a row; the stronger the colour, the larger its share of the row."])
    return figure


def _colours(confusion: Confusion) -> list[list[tuple[float, float, float]]]:
    """Of each cell: blue what is right, vermillion what is not, as strong as its share of the row."""
    rows = []
    for row, line in enumerate(confusion.counts):
        total = max(1, int(line.sum()))
        rows.append(
            [
                _shade(BLUE if row == column else VERMILLION, count / total)
                for column, count in enumerate(line)
            ]
        )
    return rows


def _shade(colour: str, share: float) -> tuple[float, float, float]:
    """White where the share is 0; by its root, so that one mistake in a hundred is seen."""
    red, green, blue = (1 + _STRONGEST * math.sqrt(share) * (part - 1) for part in to_rgb(colour))
    return red, green, blue


def _axes(confusion: Confusion) -> tuple[Figure, Axes]:
    number = len(confusion.labels)
    has_names = number <= MOST_NAMES
    labels = [wrap(label, _LABEL_CHARACTERS) for label in confusion.labels] if has_names else []
    name = INCHES_PER_CHARACTER * max(
        (len(line) for label in labels for line in label.split("\n")), default=4
    )
    left = _EDGE + _TITLE + name
    side = min(_WIDEST, (WIDTH - left - _EDGE) / number) * number
    bottom = _TITLE + _EDGE + math.sqrt(0.5) * name
    total = _TOP + side + bottom
    figure = Figure(figsize=(WIDTH, total))
    axes = figure.add_axes((left / WIDTH, bottom / total, side / WIDTH, side / total))
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure, axes

"""Main effects on the diagonal and interactions below it, each as a coloured cell with its number."""

import math
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from msanet_bench.report.document import Matrix, MatrixCell, Tone
from msanet_bench.report.figures.rows import INCHES_PER_CHARACTER, wrap
from msanet_bench.report.figures.style import BLUE, GREY, INK, LIGHT, SMALL, VERMILLION, WIDTH, number

# inches
_WIDEST, _HEIGHT, _EDGE, _LINE = 0.85, 0.38, 0.2, 0.17
_SCALE_WIDTH, _SCALE_HEIGHT, _SCALE_STEPS = 1.6, 0.09, 20
_LABEL_CHARACTERS, _TEXT_CHARACTERS = 28, 132

# Dark numbers stay readable on the strongest colour.
_STRONGEST = 0.7

_WORDS: tuple[tuple[frozenset[Tone], str], ...] = (
    (frozenset({"helps", "hurts"}), "Bold: helps or hurts."),
    (frozenset({"equal"}), "Plain: no effect that matters."),
    (frozenset({"open"}), "Grey: unresolved."),
)


class _Placed(NamedTuple):
    row: int
    column: int
    cell: MatrixCell


def draw_matrix(matrix: Matrix) -> Figure:
    placed = list(_placed(matrix))
    limit = max((abs(item.cell.value) for item in placed if item.cell.tone != "open"), default=0.0)
    said = textwrap.wrap(matrix.explained, _TEXT_CHARACTERS) + _words(placed)
    figure, axes = _axes(matrix, said)
    for item in placed:
        _draw(axes, item, limit)
    if limit > 0:
        _draw_scale(figure, axes, limit)
    return figure


def shade(value: float, limit: float) -> str:
    """White at 0, blue above, vermillion below, equally strong at equal distances."""
    strength = _STRONGEST * abs(value) / limit
    red, green, blue = (1 + strength * (part - 1) for part in to_rgb(BLUE if value > 0 else VERMILLION))
    return to_hex((red, green, blue))


def _placed(matrix: Matrix) -> Iterator[_Placed]:
    for row, cells in enumerate(matrix.cells):
        for column, cell in enumerate(cells[: row + 1]):
            if cell is not None:
                yield _Placed(row, column, cell)


def _words(placed: list[_Placed]) -> list[str]:
    tones = {item.cell.tone for item in placed}
    words = " ".join(words for known, words in _WORDS if tones & known)
    return [words] if words else []


def _axes(matrix: Matrix, said: list[str]) -> tuple[Figure, Axes]:
    """Axes of one unit a cell, with its words above, named at the left and below."""
    labels = [wrap(label, _LABEL_CHARACTERS) for label in matrix.labels]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    name = INCHES_PER_CHARACTER * longest
    left = _EDGE + name
    number = len(labels)
    wide = min(_WIDEST, (WIDTH - left - _EDGE) / number) * number
    high, top = _HEIGHT * number, _EDGE + _LINE * len(said)
    # names below stand at 45 degrees
    bottom = 0.3 + math.sqrt(0.5) * name
    total = top + high + bottom
    figure = Figure(figsize=(WIDTH, total))
    axes = figure.add_axes((left / WIDTH, bottom / total, wide / WIDTH, high / total))
    axes.set_xlim(0, number)
    axes.set_ylim(number, 0)
    middles = [index + 0.5 for index in range(number)]
    axes.set_yticks(middles, labels)
    axes.set_xticks(middles, labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for index, line in enumerate(said):
        place = (_EDGE / WIDTH, 1 - (_EDGE * 0.6 + _LINE * index) / total)
        figure.text(*place, line, fontsize=SMALL, color=GREY, va="top")
    return figure, axes


def _draw(axes: Axes, item: _Placed, limit: float) -> None:
    row, column, (value, tone) = item
    is_open, is_main = tone == "open", row == column
    filling = "white" if is_open or limit == 0 else shade(value, limit)
    edge, width, order = (GREY, 1.2, 2) if is_main else (LIGHT, 0.6, 1)
    axes.add_patch(
        Rectangle((column, row), 1, 1, facecolor=filling, edgecolor=edge, linewidth=width, zorder=order)
    )
    axes.text(
        column + 0.5,
        row + 0.5,
        number(value, signed=True),
        ha="center",
        va="center",
        fontsize=SMALL,
        color=GREY if is_open else INK,
        fontweight="bold" if tone in {"helps", "hurts"} else "normal",
        zorder=3,
    )


def _draw_scale(figure: Figure, axes: Axes, limit: float) -> None:
    """The colours from -limit to +limit, at the right of the first row, where no cell stands."""
    frame = axes.get_position()
    total = figure.get_figheight()
    scale = figure.add_axes(
        (
            1 - (2 * _EDGE + _SCALE_WIDTH) / WIDTH,
            frame.y1 - 1.5 * _SCALE_HEIGHT / total,
            _SCALE_WIDTH / WIDTH,
            _SCALE_HEIGHT / total,
        )
    )
    step = 2 * limit / _SCALE_STEPS
    for index in range(_SCALE_STEPS):
        low = -limit + index * step
        colour = shade(low + step / 2, limit)
        scale.add_patch(Rectangle((low, 0), step, 1, facecolor=colour, edgecolor=colour, linewidth=0.3))
    scale.set_xlim(-limit, limit)
    scale.set_xticks(
        [-limit, 0, limit], [number(value, signed=True) for value in (-limit, 0, limit)], fontsize=SMALL
    )
    scale.set_yticks([])
    scale.spines[:].set_visible(False)
    scale.tick_params(length=2)

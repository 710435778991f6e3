"""Pictures side by side: images, and where something in them is strong."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msanet_bench.report.figures.rows import INCHES_PER_CHARACTER, wrap
from msanet_bench.report.figures.style import GREY, SMALL, VERMILLION, WIDTH
from msanet_bench.report.graphics import Picture, Pictures

# inches
_WIDEST, _EDGE, _LINE, _GAP = 1.4, 0.15, 0.15, 0.12
_LABEL_CHARACTERS, _TEXT_CHARACTERS = 22, 128
_CHARACTERS_PER_INCH = 13


def draw_pictures(pictures: Pictures) -> Figure:
    labels = [wrap(label, _LABEL_CHARACTERS) for label in pictures.rows]
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    left = _EDGE + INCHES_PER_CHARACTER * longest + _GAP
    number = len(pictures.columns)
    side = min(_WIDEST, (WIDTH - left - _EDGE) / number - _GAP)
    titles = [wrap(title, max(8, int(side * _CHARACTERS_PER_INCH))) for title in pictures.columns]
    said = textwrap.wrap(pictures.explained, _TEXT_CHARACTERS)
    lines = max(title.count("\n") + 1 for title in titles)
    top = _EDGE + _LINE * (len(said) + lines)
    row_height = side + _GAP + _LINE
    total = top + row_height * len(labels) + _EDGE
    figure = Figure(figsize=(WIDTH, total))
    for index, line in enumerate(said):
        place = (_EDGE / WIDTH, 1 - (_EDGE * 0.6 + _LINE * index) / total)
        figure.text(*place, line, fontsize=SMALL, color=GREY, va="top")
    for row, label in enumerate(labels):
        middle = top + row_height * row + side / 2
        figure.text((left - _GAP) / WIDTH, 1 - middle / total, label, fontsize=SMALL, va="center", ha="right")
        for column, picture in enumerate(pictures.grid[row]):
            x, y = left + column * (side + _GAP), top + row_height * row + side
            axes = figure.add_axes((x / WIDTH, 1 - y / total, side / WIDTH, side / total))
            _draw(axes, picture)
            if row == 0:
                axes.set_title(titles[column], fontsize=SMALL, pad=3)
    return figure


def _draw(axes: Axes, picture: Picture | None) -> None:
    axes.set_axis_off()
    if picture is None:
        return
    is_heat = picture.kind == "heat"
    largest = max(float(picture.pixels.max()), 1e-12) if is_heat else 1.0
    axes.imshow(
        picture.pixels, cmap="cividis" if is_heat else "gray", vmin=0, vmax=largest, interpolation="none"
    )
    if picture.mark is not None:
        row, column = picture.mark
        axes.plot(column, row, "+", color=VERMILLION, markersize=7, markeredgewidth=1.4)
    axes.text(0.5, -0.04, picture.caption, transform=axes.transAxes, fontsize=7, ha="center", va="top")

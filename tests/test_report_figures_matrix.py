"""The matrix of main effects and interactions, read back from what was drawn."""

import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle

from drawn import matrix, texts
from msanet_bench.report.document import MatrixCell, Tone
from msanet_bench.report.figures import draw, figure_svg
from msanet_bench.report.figures.matrix import shade
from msanet_bench.report.figures.style import GREY, INK

MINUS = "\N{MINUS SIGN}"


def cell(value: float, tone: Tone = "helps") -> MatrixCell:
    return MatrixCell(value, tone)


BLOCK = matrix(
    (cell(2.0), cell(9.0), None),
    (cell(-1.0, "hurts"), cell(0.0, "equal"), None),
    (cell(7.0, "open"), None, cell(-2.0, "none")),
)
AXES = draw(BLOCK).axes[0]
FILLINGS = {
    (patch.get_x(), patch.get_y()): to_hex(patch.get_facecolor())
    for patch in AXES.patches
    if isinstance(patch, Rectangle)
}
NUMBERS = {text.get_position(): text for text in AXES.texts}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_every_cell_below_the_diagonal_has_its_number_in_its_middle() -> None:
    shown = {place: text.get_text() for place, text in NUMBERS.items()}
    assert shown == {
        (0.5, 0.5): "+2.00",
        (0.5, 1.5): f"{MINUS}1.00",
        (1.5, 1.5): "0.00",
        (0.5, 2.5): "+7.00",
        (2.5, 2.5): f"{MINUS}2.00",
    }
    assert set(FILLINGS) == {(x - 0.5, y - 0.5) for x, y in shown}


def test_the_sign_decides_the_colour_and_the_size_how_strong_it_is() -> None:
    # the strongest is 0.7 of the full colour and 0.3 of white: 0.3 x 255 + 0.7 x (0, 114, 178)
    assert to_rgb(FILLINGS[0, 0]) == pytest.approx((76.5 / 255, 156.3 / 255, 201.1 / 255), abs=0.004)
    red, _, blue = to_rgb(FILLINGS[2, 2])
    assert red > blue
    # half as large, half as far from white
    full, half = to_rgb(FILLINGS[2, 2]), to_rgb(FILLINGS[0, 1])
    assert half == pytest.approx([(1 + part) / 2 for part in full], abs=0.004)
    assert FILLINGS[1, 1] == "#ffffff"


def test_an_unresolved_cell_is_grey_on_white_and_stretches_no_colour() -> None:
    assert (NUMBERS[0.5, 2.5].get_color(), FILLINGS[0, 2]) == (GREY, "#ffffff")
    assert NUMBERS[0.5, 0.5].get_color() == INK
    # 7.00 is unresolved: the scale ends at 2.00
    assert {"+2.00", f"{MINUS}2.00"} <= {tick.get_text() for tick in draw(BLOCK).axes[1].get_xticklabels()}


def test_a_shown_effect_is_bold_so_that_colour_alone_says_nothing() -> None:
    bold = {place for place, text in NUMBERS.items() if text.get_fontweight() == "bold"}
    assert bold == {(0.5, 0.5), (0.5, 1.5)}


def test_the_legend_names_what_occurs() -> None:
    shown = texts(figure_svg(BLOCK))
    assert "What the cells mean." in shown
    assert "Bold: helps or hurts. Plain: no effect that matters. Grey: unresolved." in shown
    assert "Bold: helps or hurts." in texts(figure_svg(matrix((cell(1.0),))))


def test_where_nothing_is_resolved_there_is_no_scale_of_colours() -> None:
    assert len(draw(matrix((cell(1.0, "open"),))).axes) == 1
    assert len(draw(matrix((cell(1.0),))).axes) == 2


@pytest.mark.parametrize("value", [-2.0, 2.0])
def test_numbers_can_be_read_on_the_strongest_colours(value: float) -> None:
    assert contrast(INK, shade(value, 2.0)) > 4.5
    assert contrast(GREY, "#ffffff") > 4.5


def test_a_contrast_that_is_too_low_would_be_seen() -> None:
    assert contrast(INK, "#0072b2") < 4.5


def test_twelve_labels_fit() -> None:
    cells = tuple(tuple(cell(column - row + 0.5) for column in range(row + 1)) for row in range(12))
    figure = draw(matrix(*cells, name="branches.dilated"))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])

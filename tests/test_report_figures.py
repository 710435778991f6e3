"""Figures as SVG text."""

import html
import math
import re

import pytest

from msanet_bench.report.document import Bar, Forest, ForestRow, Point, Scatter
from msanet_bench.report.figures import forest_svg, scatter_svg

INTERVAL = Bar(1.0, 0.5, 1.5)
LONG = "branches.conv3=off,branches.conv5=off,branches.dilated=off,branches.context=off,attention=none"


def forest(*labels: str, bar: Bar = INTERVAL) -> Forest:
    return Forest("effects", "alt", "points", tuple(ForestRow(label, bar) for label in labels), 0.5)


def scatter(*points: Point) -> Scatter:
    return Scatter("trade", "alt", "latency", "accuracy, %", points)


def point(label: str, x: float, y: float, *, is_baseline: bool = False) -> Point:
    return Point(label, Bar(x, x - 0.01, x + 0.01), Bar(y, y - 1, y + 1), is_baseline)


def texts(svg: str) -> list[str]:
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_every_row_of_a_forest_is_named() -> None:
    shown = texts(forest_svg(forest("first", "second", "third")))
    assert {"first", "second", "third", "points"} <= set(shown)


def test_a_long_name_is_shown_whole_on_several_lines() -> None:
    shown = " ".join(texts(forest_svg(forest(LONG))))
    assert all(change in shown for change in LONG.split(","))


def test_the_band_and_the_meaning_of_a_filled_dot_are_said() -> None:
    assert "Filled: the 95 % interval excludes 0. Band: less than 0.5 pp." in texts(forest_svg(forest("a")))


def test_without_intervals_the_figure_says_so() -> None:
    alone = Bar(1.0, math.nan, math.nan)
    assert "No intervals. Band: less than 0.5 pp." in texts(forest_svg(forest("a", bar=alone)))


def test_the_background_is_white_on_every_page() -> None:
    for svg in (forest_svg(forest("a")), scatter_svg(scatter(point("a", 1, 90)))):
        assert "fill: #ffffff" in svg


def test_equal_figures_have_equal_bytes_without_date_or_version() -> None:
    first, second = (scatter_svg(scatter(point("a", 1, 90), point("b", 2, 91))) for _ in range(2))
    assert first == second
    assert not re.search(r"<dc:date>|Matplotlib v", first)


def test_labels_that_would_cover_each_other_are_left_out() -> None:
    crowd = [point(f"variant {n}", 1 + n / 1e6, 90) for n in range(9)]
    shown = [text for text in texts(scatter_svg(scatter(*crowd))) if text.startswith("variant")]
    assert 0 < len(shown) < 9


def test_labels_with_room_are_all_shown_and_the_baseline_first() -> None:
    far = [point(f"variant {n}", 1 + n, 90 + n, is_baseline=n == 2) for n in range(4)]
    shown = [text for text in texts(scatter_svg(scatter(*far))) if text.startswith("variant")]
    assert sorted(shown) == [f"variant {n}" for n in range(4)]
    assert shown[0] == "variant 2"


@pytest.mark.parametrize(("low", "high", "side"), [(80, 110, "end"), (math.nan, math.nan, "start")])
def test_a_label_keeps_off_the_interval_of_another_point(low: float, high: float, side: str) -> None:
    beside = Point("b", Bar(1.05, math.nan, math.nan), Bar(97, low, high), is_baseline=False)
    frame = [point("left", 0.5, 80), point("right", 1.5, 110)]
    svg = scatter_svg(scatter(point("the long label", 1, 90), beside, *frame))
    style = re.search(r'<text style="([^"]*)"[^>]*>the long label<', svg)
    assert style is not None
    assert f"text-anchor: {side}" in style[1]


@pytest.mark.parametrize("label", ["$x$", "<b>&", "100 %"])
def test_any_name_is_drawn_as_it_is(label: str) -> None:
    assert label in texts(forest_svg(forest(label)))

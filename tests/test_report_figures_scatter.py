"""The scatter plot: points, names and front, read back from what was drawn."""

import math
import re
from collections.abc import Sequence

import pytest
from matplotlib.lines import Line2D

from drawn import place, scatter, texts
from msanet_bench.report.document import Bar, Point, Scatter
from msanet_bench.report.figures import draw, figure_svg


def point(label: str, x: float, y: float, front: float | None = None, *, is_baseline: bool = False) -> Point:
    kind = "baseline" if is_baseline else "variant"
    return Point(label, Bar(x, x - 0.01, x + 0.01), Bar(y, y - 1, y + 1), kind, front)


def reference(label: str, x: float, y: float) -> Point:
    return Point(label, Bar(x, math.nan, math.nan), Bar(y, math.nan, math.nan), "reference")


def drawn(block: Scatter) -> dict[str, Line2D]:
    """The mark of each point by its group."""
    return {line.get_gid(): line for line in draw(block).axes[0].lines if line.get_gid()}


def front_line(block: Scatter) -> list[tuple[float, float]]:
    (line,) = [line for line in draw(block).axes[0].lines if line.get_drawstyle() == "steps-post"]
    return [(x, y) for x, y in line.get_xydata()]


def names(block: Scatter) -> Sequence[str]:
    return [text for text in texts(figure_svg(block)) if text.startswith("v ")]


def test_every_point_is_a_group_of_its_own_at_its_place() -> None:
    block = scatter(point("a", 1, 90), point("b", 2, 91), reference("c", 1.5, 92))
    marks = drawn(block)
    assert {name: place(mark) for name, mark in marks.items()} == {
        "point-0": (1.0, 90.0),
        "point-1": (2.0, 91.0),
        "point-2": (1.5, 92.0),
    }
    svg = figure_svg(block)
    across = [
        float(re.search(rf'<g id="point-{index}">.*?<use [^>]*x="([\d.]+)"', svg, re.DOTALL)[1])  # type: ignore[index]
        for index in range(3)
    ]
    # c stands in the middle between a and b
    assert across[2] == pytest.approx((across[0] + across[1]) / 2, abs=1e-4)


@pytest.mark.parametrize(
    ("front", "opacity", "is_hollow"),
    [(None, 1.0, False), (1.0, 1.0, False), (0.5, 0.65, False), (0.49, 0.643, True), (0.0, 0.3, True)],
)
def test_the_likelier_on_the_front_the_more_solid(
    front: float | None, opacity: float, *, is_hollow: bool
) -> None:
    mark = drawn(scatter(point("a", 1, 90, front)))["point-0"]
    assert mark.get_alpha() == pytest.approx(opacity)
    assert (mark.get_markerfacecolor() == "white") is is_hollow


def test_the_baseline_is_never_faint_and_still_hollow() -> None:
    mark = drawn(scatter(point("a", 1, 90, 0.0, is_baseline=True)))["point-0"]
    assert (mark.get_alpha(), mark.get_markerfacecolor()) == (1.0, "white")


def test_kinds_differ_in_shape() -> None:
    block = scatter(point("a", 1, 90), point("b", 2, 91, is_baseline=True), reference("c", 3, 92))
    assert len({mark.get_marker() for mark in drawn(block).values()}) == 3


def test_the_front_goes_through_the_estimates_that_nothing_beats() -> None:
    # b is dearer and worse than a; d is as dear as c and worse
    ours = [point("a", 1, 90), point("b", 2, 89), point("c", 3, 91), point("d", 3, 90.5)]
    assert front_line(scatter(*ours)) == [(1, 90), (3, 91)]


def test_a_row_from_elsewhere_takes_nobody_off_the_front() -> None:
    ours = [point("a", 1, 90), point("b", 2, 91)]
    assert front_line(scatter(*ours, reference("c", 0.5, 95))) == [(1, 90), (2, 91)]
    assert front_line(scatter(*ours, point("c", 0.5, 95))) == [(0.5, 95)]


def test_rows_from_elsewhere_alone_are_a_figure() -> None:
    assert front_line(scatter(reference("c", 0.5, 95))) == []


def test_a_variant_that_is_hardly_on_the_front_has_no_name() -> None:
    block = scatter(
        point("v likely", 1, 90, 0.1),
        point("v hardly", 2, 91, 0.09),
        point("v base", 3, 92, 0.0, is_baseline=True),
        reference("v other", 4, 93),
    )
    assert sorted(names(block)) == ["v base", "v likely", "v other"]


def test_the_legend_names_what_occurs() -> None:
    plain = texts(figure_svg(scatter(point("a", 1, 90))))
    front = "front of the estimates"
    assert "variant" in plain
    assert front not in plain
    assert front in texts(figure_svg(scatter(point("a", 1, 90), point("b", 2, 91))))
    assert not {"baseline", "from elsewhere"} & set(plain)
    faint = "The fainter a variant, the less likely it stands on the front."
    hollow = "hollow: less likely on the front than not"
    assert not {faint, hollow} & set(plain)
    assert {faint, hollow} <= set(texts(figure_svg(scatter(point("a", 1, 90, 0.2), reference("b", 1, 91)))))
    assert hollow not in texts(figure_svg(scatter(point("a", 1, 90, 0.9))))


def test_names_that_would_cover_each_other_are_left_out() -> None:
    crowd = [point(f"v {n}", 1 + n / 1e6, 90) for n in range(9)]
    assert 0 < len(names(scatter(*crowd))) < 9


def test_names_with_room_are_all_shown_and_the_baseline_first() -> None:
    far = [point(f"v {n}", 1 + n, 90 + n, is_baseline=n == 2) for n in range(4)]
    shown = names(scatter(*far))
    assert sorted(shown) == [f"v {n}" for n in range(4)]
    assert shown[0] == "v 2"


@pytest.mark.parametrize(("front", "is_named"), [(0.0, True), (0.2, False)])
def test_a_likely_variant_has_its_name_among_those_that_have_none(front: float, *, is_named: bool) -> None:
    crowd = [point(f"v {n}", 1 + n % 20 / 19, 90 + n // 20 / 19, front) for n in range(400)]
    likely = point("v likely", 1.5, 90.5, 0.9)
    # names of a crowd that has names are not covered
    shown = names(scatter(*crowd, likely))
    assert ("v likely" in shown) is is_named


def test_the_baseline_has_its_name_in_any_crowd() -> None:
    crowd = [point(f"v {n}", 1 + n % 20 / 19, 90 + n // 20 / 19) for n in range(400)]
    assert "v base" in names(scatter(*crowd, point("v base", 1.5, 90.5, is_baseline=True)))


@pytest.mark.parametrize(("low", "high", "side"), [(80, 110, "end"), (math.nan, math.nan, "start")])
def test_a_name_keeps_off_the_interval_of_another_point(low: float, high: float, side: str) -> None:
    beside = Point("b", Bar(1.05, math.nan, math.nan), Bar(97, low, high), "variant")
    # the first beats all others: no line of a front is in the way
    frame = [point("left", 0.5, 110), point("right", 1.5, 80)]
    svg = figure_svg(scatter(point("the long label", 1, 90), beside, *frame))
    style = re.search(r'<text style="([^"]*)"[^>]*>the long label<', svg)
    assert style is not None
    assert f"text-anchor: {side}" in style[1]


def test_a_name_keeps_off_the_front() -> None:
    # the step from the first to the second point rises where the name would stand
    ours = [point("the long label", 1, 90), point("b", 1.05, 97), point("c", 1.5, 80), point("d", 0.5, 80)]
    style = re.search(r'<text style="([^"]*)"[^>]*>the long label<', figure_svg(scatter(*ours)))
    assert style is not None
    assert "text-anchor: end" in style[1]

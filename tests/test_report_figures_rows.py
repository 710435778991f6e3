"""Figures of rows: forest plots, waterfalls, strips and budgets, read back from what was drawn."""

import math

import pytest

from drawn import around, forest, marks, place, spans, texts
from msanet_bench.report.document import (
    Bar,
    Budget,
    BudgetRow,
    ForestRow,
    Level,
    Step,
    Strip,
    StripRow,
    Tone,
    Waterfall,
)
from msanet_bench.report.figures import draw, figure_svg
from msanet_bench.report.figures.rows import wrap
from msanet_bench.report.figures.style import MARKS

ALONE = Bar(1.0, math.nan, math.nan)
TONES: tuple[Tone, ...] = ("helps", "hurts", "equal", "open")
MINUS = "\N{MINUS SIGN}"


def many(number: int) -> tuple[ForestRow, ...]:
    """Rows of which the one in the middle is the smallest; the signs take turns."""
    sizes = [(-1) ** index * (1 + abs(index - number // 2)) for index in range(number)]
    return tuple(ForestRow(f"row {index}", around(size, 0.1)) for index, size in enumerate(sizes))


def test_a_row_of_a_forest_shows_its_estimate_and_both_intervals() -> None:
    axes = draw(forest(ForestRow("a", Bar(1.0, 0.6, 1.4), Bar(1.0, -0.2, 2.2), "open"))).axes[0]
    assert place(marks(axes)[0])[0] == 1.0
    wide, thick = [line for line in axes.lines if len(line.get_xydata()) == 2 and line.get_xdata()[0] != 0]
    assert (tuple(wide.get_xdata()), tuple(thick.get_xdata())) == ((-0.2, 2.2), (0.6, 1.4))
    assert wide.get_linewidth() < thick.get_linewidth()
    assert wide.get_zorder() < thick.get_zorder()
    assert (wide.get_marker(), thick.get_marker()) == ("|", "None")


def test_no_two_verdicts_differ_by_colour_alone() -> None:
    shapes = {(mark.marker, mark.filling == "white") for mark in MARKS.values()}
    assert len(shapes) == len({mark.colour for mark in MARKS.values()}) == len(MARKS) == 4


@pytest.mark.parametrize("tone", TONES)
def test_a_verdict_is_drawn_with_its_mark_and_the_legend_names_it_alone(tone: Tone) -> None:
    block = forest(ForestRow("a", around(1, 0.5), tone=tone))
    (mark,) = marks(draw(block).axes[0])
    expected = MARKS[tone]
    assert (mark.get_marker(), mark.get_color()) == (expected.marker, expected.colour)
    assert mark.get_markerfacecolor() == expected.filling
    shown = set(texts(figure_svg(block)))
    assert {mark.words for mark in MARKS.values()} & shown == {expected.words}


@pytest.mark.parametrize(("bar", "is_filled"), [(Bar(1, 0.1, 2), True), (Bar(1, -0.1, 2), False)])
def test_without_a_verdict_a_filled_dot_is_off_zero(bar: Bar, *, is_filled: bool) -> None:
    (mark,) = marks(draw(forest(ForestRow("a", bar))).axes[0])
    assert (mark.get_markerfacecolor() != "white") is is_filled


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ForestRow("a", around(1, 0.5)), "Filled: the 95 % interval excludes 0."),
        (ForestRow("a", ALONE), "No intervals."),
        (ForestRow("a", around(1, 0.5), tone="helps"), "Lines: 95 % intervals."),
        (
            ForestRow("a", around(1, 0.5), around(1, 0.9), "helps"),
            "Thick: 95 % interval on this test set; thin: on new data.",
        ),
    ],
)
def test_the_lines_and_the_band_are_explained(row: ForestRow, words: str) -> None:
    assert f"{words} Band: less than 0.5 pp." in texts(figure_svg(forest(row)))


def test_the_band_reaches_as_far_as_is_said() -> None:
    band = draw(forest(ForestRow("a", ALONE), band=0.25)).axes[0].patches[0].get_extents()
    assert band.width > 0
    axes = draw(forest(ForestRow("a", ALONE), band=0.25)).axes[0]
    assert (axes.patches[0].get_x(), axes.patches[0].get_width()) == (-0.25, 0.5)


def test_a_name_is_broken_after_commas_and_a_sentence_is_left_as_it_is() -> None:
    assert wrap("conv3=off,conv5=off", 12) == "conv3=off,\nconv5=off"
    assert wrap("backbone, all parts off") == "backbone, all parts off"


def test_of_many_rows_the_largest_are_drawn_in_the_given_order() -> None:
    block = forest(*many(42))
    labels = [tick.get_text() for tick in draw(block).axes[0].get_yticklabels()]
    # by construction rows 21 and 20 (or 22, as large as 20 and later) are the smallest
    assert labels == [f"row {index}" for index in range(42) if index not in {21, 22}]
    assert any(text.startswith("40 of 42, the largest. ") for text in texts(figure_svg(block)))


def test_of_forty_rows_all_are_drawn_and_nothing_is_said() -> None:
    block = forest(*many(40))
    assert len(draw(block).axes[0].get_yticklabels()) == 40
    assert "largest" not in figure_svg(block)


def test_a_row_without_a_number_is_the_first_to_go() -> None:
    block = forest(ForestRow("no number", Bar(math.nan, math.nan, math.nan)), *many(40))
    assert "no number" not in texts(figure_svg(block))


def credit(*changes: float, end: float) -> Waterfall:
    steps = tuple(Step(f"part {index}", around(change, 0.1)) for index, change in enumerate(changes))
    return Waterfall("credit", "alt", "%", Level("backbone", 88.0), steps, Level("full", end))


def test_each_step_of_a_waterfall_begins_where_the_last_ended() -> None:
    axes = draw(credit(1.0, -0.5, 0.25, end=88.75)).axes[0]
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert bars == [(88.0, 89.0), (89.0, 88.5), (88.5, 88.75)]
    assert [place(dot)[0] for dot in marks(axes)] == [88.0, 88.75]
    tops = [place(dot)[1] for dot in marks(axes)]
    middles = [bar.get_y() + bar.get_height() / 2 for bar in axes.patches]
    assert [tops[0], *middles, tops[1]] == sorted([tops[0], *middles, tops[1]])


def test_a_whisker_stands_at_the_end_of_its_step() -> None:
    ends = spans(draw(credit(1.0, -0.5, end=88.5)).axes[0])
    assert ends == [pytest.approx((88.9, 89.1)), pytest.approx((88.4, 88.6))]


def test_connectors_lead_from_row_to_row_where_a_step_ends() -> None:
    axes = draw(credit(1.0, -0.5, end=88.5)).axes[0]
    upright = [tuple(line.get_xdata()) for line in axes.lines if len(set(line.get_ydata())) == 2]
    assert upright == [(88.0, 88.0), (89.0, 89.0), (88.5, 88.5)]


def test_the_values_of_a_waterfall_are_printed() -> None:
    shown = texts(figure_svg(credit(1.0, -0.5, 0.25, end=88.75)))
    values = ["88.00", "+1.00", f"{MINUS}0.50", "+0.25", "88.75"]
    assert [text for text in shown if text in values and shown.count(text) == 1] == values


def test_a_loss_has_another_colour_and_another_hatch_than_a_gain() -> None:
    gain, loss = draw(credit(1.0, -0.5, end=88.5)).axes[0].patches
    assert gain.get_facecolor() != loss.get_facecolor()
    assert gain.get_hatch() != loss.get_hatch()
    assert {"gain", "loss"} <= set(texts(figure_svg(credit(1.0, -0.5, end=88.5))))
    assert "loss" not in texts(figure_svg(credit(1.0, end=89.0)))


def test_steps_that_do_not_lead_to_the_end_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must lead to the end, 89\.5, but lead to 89\.0"):
        draw(credit(1.0, end=89.5))


def test_a_strip_shows_every_run_and_the_mean_with_its_interval() -> None:
    rows = (StripRow("a", (90.0, 90.5, 91.3), Bar(90.6, 90.1, 91.1)), StripRow("b", (89.0,), ALONE))
    axes = draw(Strip("runs", "alt", "%", rows)).axes[0]
    first, second = marks(axes, "o")
    assert (tuple(first.get_xdata()), tuple(second.get_xdata())) == ((90.0, 90.5, 91.3), (89.0,))
    assert [place(mean)[0] for mean in marks(axes, "D")] == [90.6, 1.0]
    assert spans(axes)[0] == (90.1, 91.1)
    # runs and mean of a row stand apart, and no bar begins at an arbitrary zero
    assert place(marks(axes, "D")[0])[1] > first.get_ydata()[0]
    assert not axes.patches


def test_of_a_long_strip_the_largest_means_are_drawn() -> None:
    rows = tuple(StripRow(f"row {index}", (float(index),), around(index, 1)) for index in range(60))
    svg = figure_svg(Strip("runs", "alt", "%", rows))
    assert {f"row {index}" for index in range(60)} & set(texts(svg)) == {f"row {i}" for i in range(20, 60)}
    assert "40 of 60, the largest." in texts(svg)


def test_the_parts_of_a_budget_stand_end_to_end_and_are_printed() -> None:
    rows = (BudgetRow("a", (0.02, 0.31, 0.05)), BudgetRow("b", (0.1, math.nan, 0.2)))
    block = Budget("budget", "alt", "pp", rows, ("seeds", "images", "rest"))
    axes = draw(block).axes[0]
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    ends = [(0, 0.02), (0.02, 0.33), (0.33, 0.38), (0, 0.1), (0.1, 0.1), (0.1, 0.3)]
    assert bars == [pytest.approx(end) for end in ends]
    assert len({bar.get_hatch() for bar in axes.patches[:3]}) == 3
    assert len({bar.get_facecolor() for bar in axes.patches[:3]}) == 3
    shown = texts(figure_svg(block))
    assert {"seeds", "images", "rest", "0.02 + 0.31 + 0.05", f"0.10 + {MINUS} + 0.20"} <= set(shown)

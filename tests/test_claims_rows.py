"""What rows give, against differences and intervals that are worked out by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from claim_rows import crossed, row, rows_of, write_rows
from msanet_bench.claims.effects import interaction, main_effect
from msanet_bench.claims.pairs import accuracy_difference
from msanet_bench.claims.rows import Row, read_rows
from msanet_bench.errors import ResultsError
from msanet_bench.records import Record

# of two degrees of freedom, 95 %, and of 1 - 0.05 / 2: sqrt(2) * c / sqrt(1 - c**2)
T = 4.302653
T_OF_TWO = 6.205347


Reader: TypeAlias = Callable[[list[Record]], list[Row]]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """The rows of a results folder of these records."""
    return lambda records: read_rows(write_rows(tmp_path / "made", records))


def test_accuracies_are_counted_from_the_bits(read: Reader) -> None:
    [one] = read([row("baseline", 3, 871, replicate=1, levels={"attention": "none"})])
    assert one == Row("baseline", {"attention": "none"}, (3, 1), 0.871, "ok")


def test_an_accuracy_that_is_not_that_of_its_bits_is_refused(read: Reader) -> None:
    honest = row("baseline", 0, 871)
    better = replace(honest.measures["accuracy"], value=0.9)
    with pytest.raises(ResultsError, match=r"`baseline`, seed 0: .* 0.9 is written and 0.871 is counted"):
        read([replace(honest, measures={"accuracy": better})])


def test_a_cell_that_stands_twice_is_refused(read: Reader) -> None:
    with pytest.raises(ResultsError, match="`a` has two records of seed 1"):
        read([row("a", 1, 10), row("a", 1, 20)])


def test_a_difference_is_taken_seed_by_seed(read: Reader) -> None:
    rows = read(rows_of({"a": [900, 910, 920], "b": [890, 890, 890]}))
    found = accuracy_difference(rows, "a", ["b"])
    # 1, 2 and 3 points: mean 2, sd 1
    [part] = found.parts
    half = T * 0.01 / 3**0.5
    assert (part.value, part.pairs, found.lacking) == (pytest.approx(0.02), 3, ())
    assert part.interval == pytest.approx((0.02 - half, 0.02 + half), abs=1e-7)
    assert part.joint == part.interval


def test_of_several_the_joint_intervals_are_wider(read: Reader) -> None:
    rows = read(rows_of({"a": [900, 910, 920], "b": [890, 890, 890], "c": [899, 911, 920]}))
    one, two = accuracy_difference(rows, "a", ["b", "c"]).parts
    half = T_OF_TWO * 0.01 / 3**0.5
    assert one.joint == pytest.approx((0.02 - half, 0.02 + half), abs=1e-7)
    assert one.interval[0] > one.joint[0]
    assert two.value == pytest.approx(0.0)


def test_replicates_are_pairs_of_their_own(read: Reader) -> None:
    records = [
        row("a", 0, 900),
        row("a", 0, 910, replicate=1),
        row("b", 0, 890),
        row("b", 0, 890, replicate=1),
    ]
    [part] = accuracy_difference(read(records), "a", ["b"]).parts
    assert (part.value, part.pairs) == (pytest.approx(0.015), 2)


def test_rows_that_are_missing_are_named_and_the_rest_is_used(read: Reader) -> None:
    rows = read(rows_of({"a": [900, 910, 920], "b": [890, 895]}))
    found = accuracy_difference(rows, "a", ["b", "c"])
    assert found.lacking == ("no row of `b` with seed 2", "no rows of `c`")
    assert [part.pairs for part in found.parts] == [2, 0]
    assert found.parts[1].value is None


def test_pairs_that_failed_leave_no_interval(read: Reader) -> None:
    """The twin: with the failed cell's accuracy in place there is one."""
    records = rows_of({"a": [900, 910, 920], "b": [890, 890]})
    failed = read([*records, row("b", 2, 0, status="diverged")])
    found = accuracy_difference(failed, "a", ["b"])
    assert found.lacking == ("`b` with seed 2 ended as diverged",)
    assert found.parts[0].interval == (float("-inf"), float("inf"))
    assert found.parts[0].value == pytest.approx(0.015)


def test_a_sound_cell_in_its_place_gives_one(read: Reader) -> None:
    records = rows_of({"a": [900, 910, 920], "b": [890, 890, 890]})
    assert accuracy_difference(read(records), "a", ["b"]).parts[0].interval[0] > -1


FACTORS = ("x", "y", "z")
# right = 500 + 40 x + 20 y + 10 xy, one more with seed 1 and two less with seed 2 where x is on; z adds 5
GRID = {
    (x, y, z): [
        500
        + 40 * (x == "on")
        + 20 * (y == "on")
        + 10 * (x == y == "on")
        + 5 * (z == "on")
        + shift * (x == "on")
        for shift in (0, 1, -2)
    ]
    for x in ("on", "off")
    for y in ("on", "off")
    for z in ("on", "off")
}


def test_a_main_effect_is_the_planted_one(read: Reader) -> None:
    found = main_effect(read(crossed(GRID, FACTORS)), {"x": ("on", "off")})
    # 40 and half of the interaction; with seeds 0, 1, 2: 45, 46, 43
    [part] = found.parts
    half = T * (7 / 3) ** 0.5 / 1000 / 3**0.5
    assert part.value == pytest.approx((0.045 + 0.046 + 0.043) / 3)
    assert part.interval == pytest.approx((part.value - half, part.value + half), abs=1e-7)
    assert found.parts[0].basis == "3 seeds, 4 settings of the other factors"


def test_an_interaction_is_the_planted_one_whichever_factor_comes_first(read: Reader) -> None:
    rows = read(crossed(GRID, FACTORS))
    for order in (("x", "y"), ("y", "x")):
        [part] = interaction(rows, dict.fromkeys(order, ("on", "off"))).parts
        assert part.value == pytest.approx(0.010)
    # turning one factor over changes the sign
    [part] = interaction(rows, {"x": ("off", "on"), "y": ("on", "off")}).parts
    assert part.value == pytest.approx(-0.010)


def test_of_three_factors_each_pair_is_a_part(read: Reader) -> None:
    found = interaction(read(crossed(GRID, FACTORS)), dict.fromkeys(FACTORS, ("on", "off")))
    assert [(part.label, round(part.value or 0, 9)) for part in found.parts] == [
        ("`x` x `y`", 0.01),
        ("`x` x `z`", 0),
        ("`y` x `z`", 0),
    ]


def test_over_the_options_of_a_factor_the_mean_is_taken(read: Reader) -> None:
    grid = {
        ("on", "1", "on"): [520, 521],
        ("on", "2", "on"): [540, 543],
        ("off", "-", "on"): [500, 500],
        ("on", "1", "off"): [420, 421],
        ("on", "2", "off"): [440, 443],
        ("off", "-", "off"): [400, 400],
    }
    rows = read(crossed(grid, ("wide", "wide.step", "other")))
    [part] = main_effect(rows, {"wide": ("on", "off")}).parts
    # 30 with seed 0, 32 with seed 1
    assert part.value == pytest.approx(0.031)
    [part] = main_effect(rows, {"wide.step": ("2", "1")}).parts
    assert part.value == pytest.approx(0.021)


def test_a_setting_without_all_corners_is_left_out(read: Reader) -> None:
    grid = {corner: rights for corner, rights in GRID.items() if corner != ("off", "off", "off")}
    found = interaction(read(crossed(grid, FACTORS)), {"x": ("on", "off"), "y": ("on", "off")})
    assert (found.parts[0].value, found.parts[0].basis) == (
        pytest.approx(0.01),
        "3 seeds, 1 setting of the other factors",
    )


def test_a_seed_without_all_variants_is_left_out_and_named(read: Reader) -> None:
    records = crossed(GRID, FACTORS)
    found = main_effect(read(records[:-1]), {"x": ("on", "off")})
    assert found.lacking == ("1 variant of 8 without seed 2",)
    assert found.parts[0].value == pytest.approx(0.0455)


def test_what_an_interaction_lacks_is_named(read: Reader) -> None:
    """Leave-one-out results have no row in which two are out."""
    grid = {("on", "on"): [500, 501], ("off", "on"): [490, 491], ("on", "off"): [480, 481]}
    rows = read(crossed(grid, ("x", "y")))
    found = interaction(rows, {"x": ("on", "off"), "y": ("on", "off")})
    assert found.lacking == ("no rows with x=off, y=off beside the others",)
    assert found.parts[0].value is None
    assert main_effect(rows, {"q": ("on", "off")}).lacking == ("no row has the factor `q`",)
    assert main_effect(rows, {"x": ("half", "off")}).lacking == ("no rows with x=half beside the others",)


def test_a_failed_cell_of_a_factorial_leaves_no_interval(read: Reader) -> None:
    records = crossed(GRID, FACTORS)
    failed = row(records[0].variant, 0, 0, status="oom", levels=dict(records[0].factors))
    found = main_effect(read([failed, *records[1:]]), {"x": ("on", "off")})
    assert found.lacking == ("`x=on,y=on,z=on` with seed 0 ended as oom",)
    assert found.parts[0].interval[0] == float("-inf")

"""Which cells an effect adds and subtracts."""

import itertools

import numpy as np
import pytest

from golden_cases import FILTRATION_EFFECTS, filtration, levels_of, peas, pilot_plant, signs, turned_on, yates
from msanet_bench.analysis.contrasts import contrast, fit_blocks
from msanet_bench.analysis.weights import (
    Change,
    interaction,
    matched_pairs,
    trend,
    weights_difference,
    weights_main_effect,
)

FACTORIAL = {f"{a}{b}{c}": {"a": a, "b": b, "c": c} for a, b, c in itertools.product(("on", "off"), repeat=3)}


def test_a_difference_has_weights_one_and_minus_one() -> None:
    assert weights_difference("x", "base") == {"x": 1.0, "base": -1.0}


def test_a_main_effect_of_a_factorial_is_half_of_each_side() -> None:
    pairs = matched_pairs(FACTORIAL, "b", level="off", reference="on")
    weights = weights_main_effect(pairs)
    assert len(pairs) == 4
    assert weights == {name: (0.25 if levels["b"] == "off" else -0.25) for name, levels in FACTORIAL.items()}


def test_pairs_differ_in_one_factor_alone() -> None:
    for kept, changed in matched_pairs(FACTORIAL, "c", level="off", reference="on"):
        assert {f for f in "abc" if FACTORIAL[kept][f] != FACTORIAL[changed][f]} == {"c"}


def test_a_missing_variant_takes_its_pair_away() -> None:
    rest = {name: levels for name, levels in FACTORIAL.items() if name != "onoffon"}
    pairs = matched_pairs(rest, "b", level="off", reference="on")
    assert len(pairs) == 3
    assert "ononon" not in {kept for kept, _ in pairs}


def test_without_a_pair_there_are_no_weights() -> None:
    one_at_a_time = {"baseline": {"a": "x", "b": "x"}, "b=y": {"a": "x", "b": "y"}}
    assert weights_main_effect(matched_pairs(one_at_a_time, "a", level="y", reference="x")) is None


NESTED = {
    "off": {"branch": "off"},
    "d1": {"branch": "on", "branch.dilation": "1"},
    "d2": {"branch": "on", "branch.dilation": "2"},
}


def test_a_branch_that_is_on_is_the_mean_over_its_dilations() -> None:
    pairs = matched_pairs(NESTED, "branch", level="off", reference="on", nested={"branch.dilation"})
    assert weights_main_effect(pairs) == {"d1": -0.5, "off": 1.0, "d2": -0.5}


def test_a_factor_that_is_missing_for_another_reason_makes_no_pair() -> None:
    assert matched_pairs(NESTED, "branch", level="off", reference="on") == []


@pytest.mark.parametrize("other", [1.0, True, "1"])
def test_levels_are_equal_in_value_and_type(other: object) -> None:
    variants = {"p": {"a": "x", "b": 1}, "q": {"a": "y", "b": other}}
    assert matched_pairs(variants, "a", level="y", reference="x") == []


PLANT = levels_of("TCK", yates("TCK"))


@pytest.mark.parametrize(("pair", "published"), [("TC", 1.5), ("TK", 10.0), ("CK", 0.0)])
def test_interactions_of_the_pilot_plant_are_the_published_ones(pair: str, published: float) -> None:
    combination = interaction(PLANT, turned_on(pair[0]), turned_on(pair[1]))
    assert combination is not None
    assert combination.groups == 2
    assert combination.weights == signs(pair, yates("TCK"))
    found = contrast(pilot_plant(), combination.weights)
    assert (found.estimate, found.se) == (pytest.approx(published, abs=1e-12), pytest.approx(2**0.5))


@pytest.mark.parametrize("pair", ["AB", "AC", "AD", "BC", "BD", "CD"])
def test_interactions_of_the_filtration_rates_are_the_published_ones(pair: str) -> None:
    combination = interaction(levels_of("ABCD", yates("ABCD")), *map(turned_on, pair))
    assert combination is not None
    assert contrast(filtration(), combination.weights).estimate == pytest.approx(FILTRATION_EFFECTS[pair])


@pytest.mark.parametrize(("pair", "squares"), [("NP", 21.2817), ("NK", 33.1350), ("PK", 0.4817)])
def test_interactions_in_incomplete_blocks_have_the_sums_of_squares_that_r_prints(
    pair: str, squares: float
) -> None:
    combination = interaction(levels_of("NPK", yates("NPK")), *map(turned_on, pair))
    assert combination is not None
    assert 6 * contrast(peas(), combination.weights).estimate ** 2 == pytest.approx(squares, abs=5e-5)


def test_an_interaction_is_the_same_whichever_change_comes_first() -> None:
    first, second = turned_on("T"), turned_on("K")
    one, other = interaction(PLANT, first, second), interaction(PLANT, second, first)
    assert one is not None
    assert other is not None
    assert one.weights == other.weights


def test_an_interaction_without_all_four_corners_is_none() -> None:
    three = levels_of("AB", ["-", "A", "B"])
    assert interaction(three, turned_on("A"), turned_on("B")) is None


def test_an_interaction_with_a_branch_that_is_on_is_the_mean_over_its_dilations() -> None:
    variants = {f"{name}/{a}": {**levels, "a": a} for name, levels in NESTED.items() for a in (0, 1)}
    found = interaction(variants, Change("branch", "on", "off"), turned_on("a"), nested={"branch.dilation"})
    assert found is not None
    assert found.weights == {
        "off/0": 0.5,
        "off/1": -0.5,
        "d1/0": -0.25,
        "d1/1": 0.25,
        "d2/0": -0.25,
        "d2/1": 0.25,
    }


# Cochran and Cox 1957, p. 164, as R's `?summary.aov` has it: means of twelve plots in a 3 x 3 factorial.
TWELVE_PLOTS = (449, 413, 326, 409, 358, 291, 341, 278, 312)


@pytest.mark.parametrize(("factor", "linear", "quadratic"), [("N", 1012.5, 4.2), ("P", 917.3, 0.0)])
def test_the_trends_of_the_potatoes_split_their_sums_of_squares_as_r_does(
    factor: str, linear: float, quadratic: float
) -> None:
    variants = {f"P{p}N{n}": {"P": p, "N": n} for p in range(3) for n in range(3)}
    fit = fit_blocks(list(variants), ["all"] * 9, [total / 12 for total in TWELVE_PLOTS])
    for degree, published in ((1, linear), (2, quadratic)):
        found = trend(variants, factor, {0: 0.0, 1: 1.0, 2: 2.0}, degree)
        assert found is not None
        size = sum(weight**2 for weight in found.weights.values())
        assert 12 * contrast(fit, found.weights).estimate ** 2 / size == pytest.approx(published, abs=0.05)


def test_the_trends_of_three_even_levels_are_the_textbook_polynomials() -> None:
    variants = {str(dose): {"dose": dose} for dose in (10, 20, 30)}
    linear, quadratic = (trend(variants, "dose", {10: 10.0, 20: 20.0, 30: 30.0}, d) for d in (1, 2))
    assert linear is not None
    assert quadratic is not None
    assert linear.weights == pytest.approx({"10": -1, "20": 0, "30": 1}, abs=1e-12)
    assert quadratic.weights == pytest.approx({"10": 0.5, "20": -1, "30": 0.5}, abs=1e-12)
    # not 1e-17, by which the middle level would count as a part of the trend
    assert linear.weights["20"] == 0


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_trends_of_uneven_levels_are_orthogonal_and_blind_to_lower_degrees(shift: float) -> None:
    at = {"a": 1.0 + shift, "b": 2.0 + shift, "c": 5.0 + shift, "d": 9.0 + shift}
    variants = {name: {"x": name} for name in at}
    rows = []
    for degree in (1, 2, 3):
        found = trend(variants, "x", at, degree)
        assert found is not None
        rows.append(np.array([found.weights[name] for name in at]))
        centred = np.array(list(at.values())) - shift
        # of y = x the linear trend is the whole range, 9 - 1
        size = rows[-1] @ centred / 8 if degree == 1 else rows[-1][rows[-1] > 0].sum()
        assert size == pytest.approx(1)
        for lower in range(degree):
            assert rows[-1] @ centred**lower == pytest.approx(0, abs=1e-7)
        assert rows[-1] @ centred**degree > 0
    products = np.array(rows) @ np.array(rows).T
    assert products - np.diag(np.diag(products)) == pytest.approx(np.zeros((3, 3)), abs=1e-9)


def test_the_linear_trend_of_two_levels_is_their_difference() -> None:
    variants = {"low": {"x": 3}, "high": {"x": 7}}
    found = trend(variants, "x", {3: 3.0, 7: 7.0}, 1)
    assert found is not None
    assert found.weights == pytest.approx({"low": -1, "high": 1})


def test_a_trend_is_the_mean_over_groups_that_have_all_levels() -> None:
    variants = {f"{x}{z}": {"x": x, "z": z} for x in (1, 2, 3) for z in "pqr" if (x, z) != (2, "r")}
    found = trend(variants, "x", {1: 1.0, 2: 2.0, 3: 3.0}, 1)
    assert found is not None
    assert found.groups == 2
    assert found.weights == pytest.approx(
        {"1p": -0.5, "1q": -0.5, "2p": 0, "2q": 0, "3p": 0.5, "3q": 0.5}, abs=1e-12
    )


def test_a_trend_without_a_whole_group_is_none() -> None:
    assert trend({"p": {"x": 1}, "q": {"x": 2}}, "x", {1: 1.0, 2: 2.0, 3: 3.0}, 1) is None

"""Which cells an effect adds and subtracts."""

import itertools

import pytest

from msanet_bench.analysis.weights import matched_pairs, weights_difference, weights_main_effect

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

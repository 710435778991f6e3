"""Effects of planted results: which way round, over which pairs, and what two changes do together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from msanet_bench.report.effects import Effect, Interaction, levels_of, nested
from msanet_bench.report.findings import Findings, find
from msanet_bench.report.inputs import read_inputs
from planted_results import (
    NESTED,
    PARTS,
    Bits,
    Design,
    Levels,
    Outcome,
    full,
    nested_bits,
    planted,
    worth_of_dilation,
    worth_of_parts,
    write_results,
)


def found(folder: Path, design: Design, outcome: Outcome, **manifest: object) -> Findings:
    return find(read_inputs(write_results(folder, design, outcome, **manifest)))


def asked(effects: Sequence[Effect]) -> list[tuple[str, str, str, int, int]]:
    return [(e.factor, e.level, e.reference, e.pairs, e.planned_pairs) for e in effects]


def worth(effect: Effect | Interaction) -> float:
    """In images of 1000."""
    assert effect.claim is not None
    return 1000 * effect.claim.here.estimate


@pytest.fixture
def parts(tmp_path: Path) -> Findings:
    return found(tmp_path, PARTS, planted(PARTS, worth_of_parts))


@pytest.fixture
def dilated(tmp_path: Path) -> Findings:
    return found(tmp_path, NESTED, planted(NESTED, worth_of_dilation))


def test_an_effect_is_what_having_the_part_is_worth(parts: Findings) -> None:
    """The mean of 40 without b and 20 with it; of 30 and 10; and nothing."""
    assert asked(parts.effects) == [
        ("branches.a", "on", "off", 4, 4),
        ("branches.b", "on", "off", 4, 4),
        ("attention", "eca", "none", 4, 4),
    ]
    assert [worth(effect) for effect in parts.effects] == pytest.approx([30, 20, 0], abs=1e-9)


@pytest.mark.parametrize("levels", [["none", "eca"], ["eca", "none"]])
def test_which_level_is_declared_first_does_not_turn_a_part_round(levels: list[str], tmp_path: Path) -> None:
    design = full({"attention": levels, "branches.a": ["off", "on"]})
    effects = found(tmp_path, design, planted(design, lambda v: 10 * (v["attention"] == "eca"))).effects
    assert asked(effects) == [("attention", "eca", "none", 2, 2), ("branches.a", "on", "off", 2, 2)]
    assert worth(effects[0]) == pytest.approx(10)


def test_a_level_that_is_no_absence_is_compared_with_the_first(tmp_path: Path) -> None:
    design = full({"attention": ["se", "eca", "none"], "stem": ["small", "large"]})
    gains = {"se": 20, "eca": 14, "none": 0}
    effects = found(tmp_path, design, planted(design, lambda v: gains[v["attention"]])).effects
    assert asked(effects) == [
        ("attention", "eca", "se", 2, 2),
        ("attention", "se", "none", 2, 2),
        ("stem", "large", "small", 3, 3),
    ]
    assert [worth(effect) for effect in effects] == pytest.approx([-6, 20, 0], abs=1e-9)


def test_the_level_of_the_baseline_comes_first_where_it_was_not_declared(parts: Findings) -> None:
    assert levels_of(parts.manifest, "attention") == ["eca", "none"]
    declared = replace(parts.manifest.factors["attention"], levels=("none", "se"))
    other = replace(parts.manifest, factors={**parts.manifest.factors, "attention": declared})
    assert levels_of(other, "attention") == ["eca", "none", "se"]


def test_three_numbers_are_a_trend_of_their_means(dilated: Findings) -> None:
    """10, 20, 24: the ends differ by 14, and the middle lies 3 above their mean."""
    linear, quadratic = dilated.effects[1:3]
    assert asked([linear, quadratic]) == [
        ("branches.d.dilation", "linear trend", "1 to 3", 2, 2),
        ("branches.d.dilation", "quadratic trend", "1 to 3", 2, 2),
    ]
    assert worth(linear) == pytest.approx(24 - 10)
    assert worth(quadratic) == pytest.approx((10 + 24) / 2 - 20)
    assert linear.is_trend


def test_trends_stand_in_the_order_of_the_numbers_whatever_was_declared(tmp_path: Path) -> None:
    design = full({"depth": ["10", "2", "3"]})
    linear, _ = found(tmp_path, design, planted(design, lambda v: int(v["depth"]))).effects
    assert linear.reference == "2 to 10"
    # one image a unit of depth: the fitted line rises by 10 - 2
    assert worth(linear) == pytest.approx(8)


def test_two_numbers_are_compared_as_they_are(tmp_path: Path) -> None:
    design = full({"depth": ["1", "2"]})
    effects = found(tmp_path, design, planted(design, lambda v: 5 * int(v["depth"]))).effects
    assert asked(effects) == [("depth", "2", "1", 1, 1)]
    assert worth(effects[0]) == pytest.approx(5)


def test_a_branch_is_worth_the_mean_over_what_it_allows(dilated: Findings) -> None:
    """On is 10, 20 or 24, off is 0: three pairs under each of two attentions."""
    branch = dilated.effects[0]
    assert asked([branch]) == [("branches.d", "on", "off", 6, 6)]
    assert worth(branch) == pytest.approx((10 + 20 + 24) / 3)


def test_what_is_nested_is_found_by_its_path_and_by_what_it_needs(dilated: Findings) -> None:
    assert nested(dilated.manifest, "branches.d") == {"branches.d.dilation"}
    assert nested(dilated.manifest, "branches.d.dilation") == set()
    assert nested(dilated.manifest, "attention") == set()


def without(outcome: Outcome, *lost: tuple[Mapping[str, str], Sequence[int]]) -> Outcome:
    """Some cells failed."""

    def thinner(levels: Levels, seed: int) -> object:
        failed = any(levels == of and seed in seeds for of, seeds in lost)
        return "failed" if failed else outcome(levels, seed)

    return thinner


def test_failed_variants_take_their_pairs_and_only_theirs(tmp_path: Path) -> None:
    """Without (a, no b, eca), a is the mean of 40 without attention and of 20 twice; 4 pairs were planned."""
    lost = {"branches.a": "on", "branches.b": "off", "attention": "eca"}
    outcome = without(planted(PARTS, worth_of_parts), (lost, PARTS.seeds))
    effects = found(tmp_path, PARTS, outcome).effects
    assert [(e.pairs, e.planned_pairs) for e in effects] == [(3, 4), (3, 4), (3, 4)]
    assert worth(effects[0]) == pytest.approx((20 + 20 + 40) / 3, abs=1)


def test_a_failed_seed_keeps_the_pair(tmp_path: Path) -> None:
    outcome = without(planted(PARTS, worth_of_parts), (PARTS.variants[1], [2]))
    effects = found(tmp_path, PARTS, outcome).effects
    assert all(effect.pairs == 4 for effect in effects)


def test_a_trend_needs_all_levels_of_a_group(tmp_path: Path) -> None:
    outcome = without(planted(NESTED, worth_of_dilation), (NESTED.variants[1], NESTED.seeds))
    effects = found(tmp_path, NESTED, outcome).effects
    assert [(e.pairs, e.planned_pairs) for e in effects] == [(5, 6), (1, 2), (1, 2), (3, 4)]


def test_a_trend_without_a_whole_group_is_asked_and_has_no_answer(tmp_path: Path) -> None:
    both = ((NESTED.variants[1], NESTED.seeds), (NESTED.variants[5], NESTED.seeds))
    effects = found(tmp_path, NESTED, without(planted(NESTED, worth_of_dilation), *both)).effects
    linear = effects[1]
    assert (linear.pairs, linear.planned_pairs, linear.claim, linear.costs) == (0, 2, None, None)


def test_an_interaction_is_half_of_what_one_gains_by_the_other(parts: Findings) -> None:
    """With b, a is worth 20 instead of 40."""
    named = {(p.first.factor, p.second.factor): p for p in parts.interactions}
    assert list(named) == [
        ("branches.a", "branches.b"),
        ("branches.a", "attention"),
        ("branches.b", "attention"),
    ]
    assert [worth(p) for p in parts.interactions] == pytest.approx([(20 - 40) / 2, 0, 0], abs=1e-9)
    assert all(p.squares == 2 for p in parts.interactions)


def test_an_interaction_takes_levels_of_two_different_factors(tmp_path: Path) -> None:
    design = full({"attention": ["se", "eca", "none"], "stem": ["small", "large"]})
    pairs = found(tmp_path, design, planted(design, lambda _: 0)).interactions
    assert [(p.first.factor, p.first.level, p.second.factor) for p in pairs] == [
        ("attention", "eca", "stem"),
        ("attention", "se", "stem"),
    ]


def test_a_branch_and_its_own_number_have_no_square(dilated: Findings) -> None:
    assert [(p.first.factor, p.second.factor) for p in dilated.interactions] == [("branches.d", "attention")]


def test_an_interaction_with_a_branch_is_the_mean_over_what_that_allows(tmp_path: Path) -> None:
    """Dilations gain 6, 12 and 15 more under attention, 11 on average, of which an interaction is half."""
    more = {"1": 6, "2": 12, "3": 15}

    def with_attention(levels: Levels) -> int:
        extra = more.get(levels.get("branches.d.dilation", ""), 0) if levels["attention"] == "eca" else 0
        return worth_of_dilation(levels) + extra

    (pair,) = found(tmp_path, NESTED, planted(NESTED, with_attention)).interactions
    assert worth(pair) == pytest.approx(11 / 2)
    assert pair.squares == 1


def test_one_change_at_a_time_has_effects_and_no_interactions(tmp_path: Path) -> None:
    design = Design(
        PARTS.factors,
        [v for v in PARTS.variants if list(v.values()).count("off") + (v["attention"] == "none") < 2],
    )
    findings = found(tmp_path, design, planted(design, worth_of_parts))
    assert [e.pairs for e in findings.effects] == [1, 1, 1]
    assert [worth(e) for e in findings.effects] == pytest.approx([20, 10, 0], abs=1e-9)
    assert findings.interactions == ()


def test_families_are_declared_one_by_one(tmp_path: Path) -> None:
    families = {"analysis": {"families": ["main_effects"]}}
    findings = found(tmp_path, PARTS, planted(PARTS, worth_of_parts), experiment=families)
    assert all(e.claim is not None and e.claim.verdict is not None for e in findings.effects)
    assert all(pair.claim.verdict is None for pair in findings.interactions)
    assert all(v.claim.verdict is None for v in findings.variants if v.claim is not None)
    assert findings.credit is not None
    assert all(s.removed is not None and s.removed.verdict is None for s in findings.credit.shares)


def test_one_seed_has_effects_without_claims_of_chance(tmp_path: Path) -> None:
    design = full({"attention": ["eca", "none"]}, seeds=(7,))

    def outcome(levels: Levels, _: int) -> Bits:
        return nested_bits(800 + 3 * (levels["attention"] == "eca"))

    (effect,) = found(tmp_path, design, outcome).effects
    assert worth(effect) == pytest.approx(3)
    assert effect.claim is not None
    assert effect.claim.verdict is None


def test_a_number_that_may_be_left_out_is_told_by_its_presence_and_its_trends(tmp_path: Path) -> None:
    design = full({"clip": ["1", "2", "3", "none"]})
    effects = found(tmp_path, design, planted(design, lambda v: 0 if v["clip"] == "none" else 30)).effects
    assert asked(effects) == [
        ("clip", "1 to 3", "none", 3, 3),
        ("clip", "linear trend", "1 to 3", 1, 1),
        ("clip", "quadratic trend", "1 to 3", 1, 1),
    ]
    assert [worth(effect) for effect in effects] == pytest.approx([30, 0, 0], abs=1e-9)

"""Credit of planted results: four rules by hand, sums, and what is said of combinations that are missing."""

import math
from collections.abc import Callable, Mapping
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from msanet_bench.report.credit import Credit
from msanet_bench.report.evidence import Claim
from msanet_bench.report.findings import find
from msanet_bench.report.inputs import read_inputs
from planted_results import (
    NESTED,
    PARTS,
    Design,
    Levels,
    Outcome,
    full,
    planted,
    worth_of_dilation,
    worth_of_parts,
    write_profiles,
    write_results,
)
from report_text import report, section

ABSENT = {"off", "none"}


def credit_of(folder: Path, design: Design, outcome: Outcome, **manifest: object) -> Credit:
    found = find(read_inputs(write_results(folder, design, outcome, **manifest))).credit
    assert found is not None
    return found


def worth(claim: Claim | None) -> float:
    """In images of 1000."""
    assert claim is not None
    return 1000 * claim.here.estimate


def in_all_orders(components: list[str], value: Callable[[frozenset[str]], float]) -> dict[str, float]:
    """Shapley's rule by its definition: the mean gain of a component over all orders of joining."""
    gains = dict.fromkeys(components, 0.0)
    for order in permutations(components):
        for place, component in enumerate(order):
            before = frozenset(order[:place])
            gains[component] += value(before | {component}) - value(before)
    return {c: gain / math.factorial(len(components)) for c, gain in gains.items()}


def test_four_rules_by_hand(tmp_path: Path) -> None:
    """Worth 40 and 30 alone, 50 together: the overlap of 20 is shared, and hidden from who removes."""
    found = credit_of(tmp_path, PARTS, planted(PARTS, worth_of_parts))
    assert [s.component for s in found.shares] == ["branches.a", "branches.b", "attention"]
    rules = {
        rule: [worth(getattr(s, rule)) for s in found.shares]
        for rule in ("removed", "added", "main", "shapley")
    }
    assert rules["removed"] == pytest.approx([20, 10, 0], abs=1e-9)
    assert rules["added"] == pytest.approx([40, 30, 0], abs=1e-9)
    assert rules["main"] == pytest.approx([30, 20, 0], abs=1e-9)
    assert rules["shapley"] == pytest.approx([30, 20, 0], abs=1e-9)
    assert worth(found.total) == pytest.approx(50)
    assert (found.full, found.coalitions, found.held) == ("baseline", 8, {})
    assert found.empty == "branches.a=off,branches.b=off,attention=none"


def drawn(design: Design, state: int) -> Callable[[Levels], int]:
    gains = np.random.default_rng(state).integers(0, 150, len(design.variants))
    return lambda levels: int(gains[design.variants.index(levels)])


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_shapley_is_the_mean_over_all_orders_and_adds_up_to_the_whole(parts: int, tmp_path: Path) -> None:
    design = full({f"branches.p{n}": ["on", "off"] for n in range(parts)})
    gain = drawn(design, parts)
    components = list(design.factors)
    found = credit_of(tmp_path, design, planted(design, gain))
    by_rule = in_all_orders(components, lambda on: gain({c: "on" if c in on else "off" for c in components}))
    assert [worth(s.shapley) for s in found.shares] == pytest.approx(list(by_rule.values()), abs=1e-6)
    total = sum(s.shapley.here.estimate for s in found.shares if s.shapley is not None)
    assert found.total is not None
    assert total == pytest.approx(found.total.here.estimate, abs=1e-9)
    # twin: no other rule adds up to it
    for rule in ("removed", "added"):
        assert sum(worth(getattr(s, rule)) for s in found.shares) != pytest.approx(worth(found.total), abs=1)


def test_shapley_adds_up_where_seeds_are_missing_too(tmp_path: Path) -> None:
    outcome = planted(PARTS, worth_of_parts)

    def thinner(levels: Levels, seed: int) -> object:
        return "failed" if (PARTS.variants.index(levels), seed) in {(0, 1), (5, 3)} else outcome(levels, seed)

    found = credit_of(tmp_path, PARTS, thinner)
    total = sum(s.shapley.here.estimate for s in found.shares if s.shapley is not None)
    assert found.total is not None
    assert total == pytest.approx(found.total.here.estimate, abs=1e-9)


def lose(outcome: Outcome, number: int) -> Outcome:
    return lambda levels, seed: "failed" if PARTS.variants.index(levels) == number else outcome(levels, seed)


def test_a_missing_combination_leaves_no_shapley_and_is_said(tmp_path: Path) -> None:
    outcome = planted(PARTS, worth_of_parts)
    found = credit_of(tmp_path, PARTS, lose(outcome, 3))
    assert found.coalitions == 7
    assert all(s.shapley is None and s.costs is None for s in found.shares)
    assert worth(found.shares[0].removed) == pytest.approx(20, abs=1)
    text = section(report(tmp_path), "Credit")
    assert "7 of the 8 combinations of these components have results. Shapley's rule needs all" in text
    assert "figures/credit.svg" not in text


def test_all_combinations_have_nothing_to_say_of_missing_ones(tmp_path: Path) -> None:
    credit_of(tmp_path, PARTS, planted(PARTS, worth_of_parts))
    text = section(report(tmp_path), "Credit")
    assert "Shapley's rule needs all" not in text
    assert "figures/credit.svg" in text


def test_without_the_full_network_nothing_is_removed_from_it(tmp_path: Path) -> None:
    found = credit_of(tmp_path, PARTS, lose(planted(PARTS, worth_of_parts), 0))
    assert (found.full, found.total) == (None, None)
    assert all(s.removed is None for s in found.shares)
    assert all(s.added is not None and s.main is not None for s in found.shares)


def test_other_factors_are_held_at_the_baselines_levels(tmp_path: Path) -> None:
    """Under the large stem all is worth twice as much, which these shares do not see."""
    design = full({"stem": ["small", "large"], **PARTS.factors})

    def more(levels: Levels) -> int:
        return worth_of_parts(levels) * (2 if levels["stem"] == "large" else 1)

    found = credit_of(tmp_path, design, planted(design, more))
    assert found.held == {"stem": "small"}
    assert [worth(s.shapley) for s in found.shares] == pytest.approx([30, 20, 0], abs=1e-6)
    assert "All networks here have `stem` at `small`, so" in section(report(tmp_path), "Credit")


def test_a_number_within_a_component_is_held_too(tmp_path: Path) -> None:
    found = credit_of(tmp_path, NESTED, planted(NESTED, worth_of_dilation))
    assert found.held == {"branches.d.dilation": "1"}
    assert (found.coalitions, found.planned_coalitions) == (4, 4)
    assert [worth(s.shapley) for s in found.shares] == pytest.approx([10, 0], abs=1e-9)


def test_what_cannot_be_absent_is_no_component(tmp_path: Path) -> None:
    design = full({"stem": ["small", "large"], "branches.a": ["on", "off"], "attention": ["eca", "none"]})
    found = credit_of(tmp_path, design, planted(design, lambda _: 0))
    assert [s.component for s in found.shares] == ["branches.a", "attention"]
    lonely = full({"stem": ["small", "large"], "branches.a": ["on", "off"]})
    folder = write_results(tmp_path / "lonely", lonely, planted(lonely, lambda _: 0))
    assert find(read_inputs(folder)).credit is None
    assert "## Credit" not in report(folder)


def test_a_third_level_is_no_other_way_of_having_a_component(tmp_path: Path) -> None:
    """Shares are those of the baseline's attention: `se` is neither it nor nothing."""
    design = full({"branches.a": ["on", "off"], "attention": ["eca", "se", "none"]})
    gains = {"eca": 8, "se": 30, "none": 0}
    found = credit_of(tmp_path, design, planted(design, lambda v: gains[v["attention"]]))
    assert found.coalitions == 4
    assert worth(found.shares[1].shapley) == pytest.approx(8)


def test_a_baseline_without_a_component_is_the_empty_end(tmp_path: Path) -> None:
    design = full({"branches.a": ["off", "on"], "attention": ["none", "eca", "se"]})
    found = credit_of(tmp_path, design, planted(design, lambda v: 7 * (v["branches.a"] == "on")))
    assert (found.empty, found.full) == ("baseline", "branches.a=on,attention=eca")
    assert worth(found.shares[0].shapley) == pytest.approx(7)


@pytest.mark.parametrize(("parts", "has_credit"), [(12, True), (13, False)])
def test_more_than_twelve_components_have_no_credit(parts: int, has_credit: bool, tmp_path: Path) -> None:  # noqa: FBT001
    factors = {f"branches.p{n:02}": ["on", "off"] for n in range(parts)}
    everything = dict.fromkeys(factors, "on")
    design = Design(factors, [everything, *({**everything, path: "off"} for path in factors)])
    findings = find(read_inputs(write_results(tmp_path, design, planted(design, lambda _: 0))))
    assert (findings.credit is not None) == has_credit
    assert ("## Credit" in report(tmp_path)) == has_credit


PRICES = {"branches.a": 1001, "branches.b": 331, "attention": 17}


def costs_of(levels: Levels) -> Mapping[str, int]:
    """Parts of known sizes, and 100 more where both branches meet."""
    on = [path for path, level in levels.items() if level not in ABSENT]
    params = 5000 + sum(PRICES[p] for p in on) + (100 if {"branches.a", "branches.b"} <= set(on) else 0)
    return {"params": params, "macs": 7 * params, "bytes": 4096 * len(on)}


def test_costs_by_the_same_rule_add_up_exactly_to_the_difference_of_the_networks(tmp_path: Path) -> None:
    write_results(tmp_path, PARTS, planted(PARTS, worth_of_parts))
    write_profiles(tmp_path, {PARTS.name(v): costs_of(v) for v in PARTS.variants})
    found = find(read_inputs(tmp_path)).credit
    assert found is not None
    costs = [s.costs for s in found.shares]
    assert None not in costs
    params = [c.params for c in costs if c is not None and c.params is not None]
    assert params == pytest.approx([1051, 381, 17], abs=1e-6)
    assert round(sum(params), 6) == 1001 + 331 + 17 + 100
    macs = [c.macs for c in costs if c is not None and c.macs is not None]
    assert round(sum(macs), 6) == 7 * (1001 + 331 + 17 + 100)
    removed = [s.removed_costs for s in found.shares]
    assert [c.params for c in removed if c is not None] == [1101, 431, 17]


def test_a_component_of_the_full_network_is_one_comparison_of_the_family(tmp_path: Path) -> None:
    """Leave one out is adjusted for three comparisons; the other rules have no verdicts."""
    found = credit_of(tmp_path, PARTS, planted(PARTS, lambda v: worth_of_parts(v) // 10, wave=3))
    (a, *_) = found.shares
    assert a.removed is not None
    assert a.removed.verdict is not None
    assert [c.verdict for c in (a.added, a.main, a.shapley) if c is not None] == [None] * 3
    assert found.total is not None
    assert found.total.verdict is None

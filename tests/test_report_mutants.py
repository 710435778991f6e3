"""Planted mistakes in what the report concludes: the tests that guard it must notice each.

Each is a small change of one module's source, run in this process and put in the place of what every module
of the program, and one test file, have imported from it. A change that no longer applies fails here too.
"""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import test_report_costs
import test_report_credit
import test_report_data
import test_report_effects
import test_report_evidence
import test_report_evidence_new_data
import test_report_mixed
import test_report_prices
import test_report_sections
import test_report_standing
from msanet_bench.analysis import correctness, crossed
from msanet_bench.report import costs, credit, data, effects, evidence, findings, inputs, standing, words
from msanet_bench.report.sections import prices
from planted_results import NESTED, PARTS, planted, worth_of_dilation, worth_of_parts
from test_analysis_mutants import planted as changed_by

# the package hides these modules behind their functions
interactions, summary, variants = (
    import_module(f"msanet_bench.report.sections.{name}") for name in ("interactions", "summary", "variants")
)


class Mutant(NamedTuple):
    """A change of a module, and a test that has to fail with it, given its file and an empty folder."""

    module: ModuleType
    old: str
    new: str
    tests: ModuleType
    test: Callable[[ModuleType, Path], object]


def with_parts(name: str) -> Callable[[ModuleType, Path], object]:
    """A test of effects that takes the results of the planted parts."""
    return lambda t, folder: getattr(t, name)(t.found(folder, PARTS, planted(PARTS, worth_of_parts)))


def with_costs(name: str) -> Callable[[ModuleType, Path], object]:
    return lambda t, folder: getattr(t, name)(t.costs.__wrapped__(folder))


MUTANTS = {
    "each comparison is a family of its own": Mutant(
        evidence,
        "    verdicts = _verdicts(evidence, found, is_declared=is_declared)\n",
        "    verdicts = {i: v for n, c in found.items() "
        "for i, v in _verdicts(evidence, {n: c}, is_declared=is_declared).items()}\n",
        test_report_evidence,
        lambda t, _: t.test_holm_counts_the_whole_family(),
    ),
    "what was not declared is judged": Mutant(
        evidence,
        "if not is_declared or not evidence.has_error:",
        "if not evidence.has_error:",
        test_report_evidence,
        lambda t, _: t.test_a_family_that_was_not_declared_has_intervals_and_no_verdicts(),
    ),
    "this test set is called new data": Mutant(
        evidence,
        "if self.verdict_new is not None and self.verdict_new.is_resolved:",
        "if self.verdict is not None and self.verdict.is_resolved:",
        test_report_evidence,
        lambda t, _: t.test_the_scope_is_the_widest_that_is_resolved(
            "HELPS", "UNRESOLVED", "HELPS", "this test set"
        ),
    ),
    "unequal deviations are pooled": Mutant(
        evidence,
        "return self.unequal_p < _UNEQUAL",
        "return False",
        test_report_evidence,
        lambda t, _: t.test_unequal_deviations_give_single_comparisons_their_own_seeds(),
    ),
    "averages lose the pooled error too": Mutant(
        evidence,
        "return sum(weight != 0 for weight in weights.values()) == 2  # noqa: PLR2004",
        "return True",
        test_report_evidence,
        lambda t, _: t.test_unequal_deviations_give_single_comparisons_their_own_seeds(),
    ),
    "part of a family is judged on new data": Mutant(
        evidence,
        "is_declared=is_declared and len(complete) == len(found))",
        "is_declared=is_declared)",
        test_report_evidence_new_data,
        lambda t, _: t.test_no_interval_for_new_data_where_no_two_seeds_are_common(),
    ),
    "bits of different test sets are crossed": Mutant(
        evidence,
        "if len(tests) == 1 else 0",
        "if tests else 0",
        test_report_evidence_new_data,
        lambda t, _: t.test_different_test_sets_say_nothing_of_new_data(),
    ),
    "new images make an interval narrower": Mutant(
        crossed,
        "    if new.low <= this_test_set.low:\n",
        "    if new.low <= 1:\n",
        test_report_evidence_new_data,
        lambda t, _: t.test_an_interval_for_new_data_is_never_narrower_than_this_test_sets(),
    ),
    "seeds that one variant lacks count as wrong": Mutant(
        correctness,
        "if not any(row.get(name) for name in absent)]",
        "]",
        test_report_evidence_new_data,
        lambda t, _: t.test_two_common_seeds_are_enough_for_new_data(),
    ),
    "looks cost nothing": Mutant(
        findings,
        "alpha=manifest.alpha / len(manifest.looks)",
        "alpha=manifest.alpha",
        test_report_evidence,
        lambda t, folder: t.test_looks_divide_alpha(folder),
    ),
    "parts are told by their absence": Mutant(
        effects,
        "return (reference, level) if level in ABSENT_LEVELS else (level, reference)",
        "return level, reference",
        test_report_effects,
        with_parts("test_an_effect_is_what_having_the_part_is_worth"),
    ),
    "numbers are taken as declared": Mutant(
        effects,
        "return dict(sorted(numbers.items(), key=lambda item: item[1]))",
        "return numbers",
        test_report_effects,
        lambda t, folder: t.test_trends_stand_in_the_order_of_the_numbers_whatever_was_declared(folder),
    ),
    "pairs are counted in the plan": Mutant(
        effects,
        "weights, len(pairs), len(planned))",
        "weights, len(planned), len(planned))",
        test_report_effects,
        lambda t, folder: t.test_failed_variants_take_their_pairs_and_only_theirs(folder),
    ),
    "what a branch allows hides the branch": Mutant(
        effects,
        'or any(path.startswith(f"{parent}.") for parent in found)',
        "and False",
        test_report_effects,
        lambda t, folder: t.test_a_branch_is_worth_the_mean_over_what_it_allows(
            t.found(folder, NESTED, planted(NESTED, worth_of_dilation))
        ),
    ),
    "other factors are not held": Mutant(
        credit,
        "elif level != held.get(path, baseline.get(path)):",
        "elif False:",
        test_report_credit,
        lambda t, folder: t.test_other_factors_are_held_at_the_baselines_levels(folder),
    ),
    "any level is the component": Mutant(
        credit,
        "if level not in ABSENT_LEVELS and level != _present(manifest, path):",
        "if False:",
        test_report_credit,
        lambda t, folder: t.test_a_third_level_is_no_other_way_of_having_a_component(folder),
    ),
    "a count that is missing counts as 0": Mutant(
        costs,
        "if len(known) < len(values):",
        "if not values:",
        test_report_costs,
        with_costs("test_a_count_that_one_network_lacks_is_none_for_all_that_take_it"),
    ),
    "errors of latencies cancel": Mutant(
        costs,
        "half = math.hypot(*(weight * (bar.high - bar.low) / 2 for weight, bar in used))",
        "half = abs(sum(weight * (bar.high - bar.low) / 2 for weight, bar in used))",
        test_report_costs,
        with_costs("test_errors_of_two_networks_add_up_as_independent_ones"),
    ),
    "ties are counted one by one": Mutant(
        standing,
        "adjusted = holm([_p(evidence, name, top) for name in others])",
        "adjusted = [0.0 for name in others]",
        test_report_standing,
        lambda t, folder: t.test_tied_are_all_whose_difference_to_the_top_holm_does_not_show(folder),
    ),
    "latencies are exact": Mutant(
        standing,
        "errors = [(bar.high - bar.low) / 2 / _HALF_WIDTH if bar.high > bar.low else 0.0 for bar in known]",
        "errors = [0.0 for bar in known]",
        test_report_standing,
        lambda t, folder: t.test_latencies_are_drawn_from_their_intervals(folder),
    ),
    "a changed digit is a last bit": Mutant(
        data,
        "_RELATIVE, _ABSOLUTE = 1e-9, 1e-12",
        "_RELATIVE, _ABSOLUTE = 1e-3, 1e-3",
        test_report_data,
        lambda t, folder: t.test_last_bits_say_the_same_and_other_digits_do_not(t.parts.__wrapped__(folder)),
    ),
    "mixed results are taken": Mutant(
        inputs,
        "if mixed and not allow_mixed:",
        "if False:",
        test_report_mixed,
        lambda t, folder: t.test_report_refuses_with_2_and_reports_when_told_to(folder),
    ),
    "uncertain costs have prices": Mutant(
        prices,
        "if latency is not None and (latency.low > 0 or latency.high < 0):",
        "if latency is not None:",
        test_report_prices,
        lambda t, folder: t.test_a_latency_that_may_be_0_has_no_price(folder),
    ),
    "all verdicts are said of new data": Mutant(
        summary,
        'return "" if scope is None else f", on {scope}"',
        'return "" if scope is None else ", on new data"',
        test_report_sections,
        lambda t, folder: t.test_what_other_images_may_undo_is_said_of_this_test_set_alone(folder),
    ),
    "missing seeds are not asked for": Mutant(
        words,
        'return claim.word + (f" on {claim.scope}" if claim.scope else _missing(claim))',
        'return claim.word + " on new data"',
        test_report_sections,
        lambda t, folder: t.test_what_other_images_may_undo_is_said_of_this_test_set_alone(folder),
    ),
    "the last variants are shown": Mutant(
        variants,
        "-_hope(findings, v)))",
        "_hope(findings, v)))",
        test_report_sections,
        lambda t, folder: t.test_of_more_than_60_variants_the_likeliest_are_shown_and_the_rest_counted(
            folder
        ),
    ),
    "failed corners are blamed on the design": Mutant(
        interactions,
        'if findings.manifest.experiment["design"] in _ONE_CHANGE:',
        "if True:",
        test_report_sections,
        lambda t, folder: t.test_squares_that_failed_are_not_blamed_on_the_design(folder),
    ),
}


def importers(tests: ModuleType) -> Iterator[ModuleType]:
    yield from (
        module for name, module in sys.modules.items() if name.startswith(("msanet_bench.", "planted_"))
    )
    yield tests


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_mistake_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    changed = changed_by(mutant)
    mutant.test(mutant.tests, tmp_path / "right")
    for module in list(importers(mutant.tests)):
        for imported, value in list(vars(module).items()):
            if getattr(value, "__module__", None) == mutant.module.__name__ and imported in changed:
                monkeypatch.setattr(module, imported, changed[imported])
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        mutant.test(mutant.tests, tmp_path / "wrong")

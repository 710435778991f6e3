"""Planted mistakes in the statistics: the tests that guard them must notice each.

Each is a small change of one module's source, run in this process and put in the place of what one test file
has imported. A change that no longer applies fails here too.
"""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import pytest

import test_analysis_contrasts
import test_analysis_credit
import test_analysis_crossed
import test_analysis_noise
import test_analysis_pareto
import test_analysis_power
import test_analysis_verdicts
import test_analysis_weights
from msanet_bench.analysis import contrasts, credit, crossed, noise, pareto, power, verdicts, weights


class Mutant(NamedTuple):
    """A change of a module, and a test that has to fail with it, called as it stands."""

    module: ModuleType
    old: str
    new: str
    tests: ModuleType
    test: Callable[[ModuleType], object]


def with_other_eigenvectors(tests: ModuleType) -> None:
    with pytest.MonkeyPatch.context() as patch:
        tests.test_draws_do_not_depend_on_which_eigenvectors_the_machine_finds(patch)


MUTANTS = {
    "Holm forgets to count down": Mutant(
        verdicts,
        "(len(order) - done) * p[index]",
        "len(order) * p[index]",
        test_analysis_verdicts,
        lambda t: t.test_holm_adjusts_never_downwards_and_keeps_the_order_of_the_p_values(),
    ),
    "Holm lets an adjusted p fall": Mutant(
        verdicts,
        "largest = max(largest, min(1.0, (len(order) - done) * p[index]))",
        "largest = min(1.0, (len(order) - done) * p[index])",
        test_analysis_verdicts,
        lambda t: t.test_holm_adjusts_never_downwards_and_keeps_the_order_of_the_p_values(),
    ),
    "equivalence takes the smaller p": Mutant(
        verdicts,
        "    return max(\n        _tail(-contrast",
        "    return min(\n        _tail(-contrast",
        test_analysis_verdicts,
        lambda t: t.test_equivalence_of_the_clinics_second_variable_is_not_shown(),
    ),
    "equivalence looks past the wrong limit": Mutant(
        verdicts,
        "_tail(contrast.estimate - delta, contrast)",
        "_tail(contrast.estimate + delta, contrast)",
        test_analysis_verdicts,
        lambda t: t.test_equivalence_of_the_clinics_first_variable_is_the_one_that_r_prints(),
    ),
    "what is unknown has a p of 1": Mutant(
        verdicts,
        "return 2 * _tail(",
        "return min(1.0, 2) * _tail(",
        test_analysis_verdicts,
        lambda t: t.test_a_family_asks_more_of_each_of_its_members(),
    ),
    "real and small is called helpful": Mutant(
        verdicts,
        '    if is_small:\n        return "negligible"\n',
        "",
        test_analysis_verdicts,
        lambda t: t.test_a_word_is_what_interval_and_tests_say(0.5, 0.2, "negligible"),
    ),
    "blocks cost no degrees of freedom": Mutant(
        contrasts,
        "- int(np.linalg.matrix_rank(",
        "- 0 * int(np.linalg.matrix_rank(",
        test_analysis_contrasts,
        lambda t: t.test_missing_cells_are_handled_as_statsmodels_does("b"),
    ),
    "everything is estimable": Mutant(
        contrasts,
        "    _check_estimable(fit, used, on_blocks)\n",
        "",
        test_analysis_contrasts,
        lambda t: t.test_variants_that_share_no_block_are_not_compared(),
    ),
    "an interaction is not halved": Mutant(
        weights,
        "(0.5, -0.5, -0.5, 0.5)",
        "(1, -1, -1, 1)",
        test_analysis_weights,
        lambda t: t.test_interactions_of_the_pilot_plant_are_the_published_ones("TK", 10.0),
    ),
    "trends are not orthogonal": Mutant(
        weights,
        "polynomial = orthogonal[:, degree] * np.sign(triangle[degree, degree])",
        "polynomial = powers[:, degree] - powers[:, degree].mean()",
        test_analysis_weights,
        lambda t: t.test_trends_of_uneven_levels_are_orthogonal_and_blind_to_lower_degrees(0.0),
    ),
    "all coalitions weigh the same": Mutant(
        credit,
        "share = factorial(r) * factorial(k - r - 1) / factorial(k)",
        "share = 1 / 2 ** (k - 1)",
        test_analysis_credit,
        lambda t: t.test_the_airport_game_has_its_textbook_shares(),
    ),
    "a missing coalition is passed over": Mutant(
        credit,
        "if len(known) == len(pairs) else None",
        "",
        test_analysis_credit,
        lambda t: t.test_a_missing_middle_leaves_the_pairs_that_are_there(),
    ),
    "tails that scipy cannot tell are believed": Mutant(
        power,
        "return 0.0 if math.isnan(chance) else chance",
        "return chance",
        test_analysis_power,
        lambda t: t.test_the_smallest_effect_is_found_with_just_that_power(1, 0.8),
    ),
    "small pilots are believed": Mutant(
        power,
        "if df < _FEW else 1.0",
        "if df < 0 else 1.0",
        test_analysis_power,
        lambda t: t.test_a_small_pilot_plans_with_the_upper_limit_of_its_deviation(),
    ),
    "luck is counted as images": Mutant(
        crossed,
        "max(square_images - square_rest, 0.0)",
        "max(square_images, 0.0)",
        test_analysis_crossed,
        lambda t: t.test_planted_variances_are_found_on_average(),
    ),
    "new images cost nothing": Mutant(
        crossed,
        "variance = of_seeds + crossed.images_variance",
        "variance = of_seeds",
        test_analysis_crossed,
        lambda t: t.test_new_images_widen_the_interval_by_their_variance(),
    ),
    "equals push each other off the front": Mutant(
        pareto,
        "on_front[place] = same and on_front[before]",
        "on_front[place] = False",
        test_analysis_pareto,
        lambda t: t.test_a_front_by_hand(),
    ),
    "the root of the covariance is any root": Mutant(
        pareto,
        "np.sqrt(np.clip(values, 0, None))) @ vectors.T",
        "np.sqrt(np.clip(values, 0, None)))",
        test_analysis_pareto,
        with_other_eigenvectors,
    ),
    "spread is taken from the mean": Mutant(
        noise,
        "np.abs(group - np.median(group))",
        "np.abs(group - np.mean(group))",
        test_analysis_noise,
        lambda t: t.test_spread_by_hand_is_about_the_median(),
    ),
}


def planted(mutant: Mutant) -> dict[str, object]:
    """What the changed module defines."""
    source = inspect.getsource(mutant.module)
    assert source.count(mutant.old) == 1, "the code has changed: write the mutant anew"
    changed: dict[str, object] = {"__name__": mutant.module.__name__}
    exec(compile(source.replace(mutant.old, mutant.new), "mutant", "exec"), changed)  # noqa: S102 - our own text
    return changed


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_mistake_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = MUTANTS[name]
    changed = planted(mutant)
    mutant.test(mutant.tests)
    for imported, value in list(vars(mutant.tests).items()):
        if getattr(value, "__module__", None) == mutant.module.__name__ and imported in changed:
            monkeypatch.setattr(mutant.tests, imported, changed[imported])
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        mutant.test(mutant.tests)

"""Power against R, G*Power, statsmodels and the tables of the design, and what further seeds would bring."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, nct, t
from statsmodels.stats.power import TTestPower

from msanet_bench.analysis.power import (
    MOST_SEEDS,
    Design,
    equivalence_power,
    seeds_needed,
    smallest_detectable,
    t_power,
)


def test_the_power_of_twenty_a_group_is_the_one_that_r_prints() -> None:
    """power.t.test(n = 20, delta = 1): two groups, so an error of sqrt(2 / n) and 2n - 2 degrees."""
    assert t_power(1, math.sqrt(2 / 20), 38) == pytest.approx(0.8689528, abs=1e-6)


@pytest.mark.parametrize(("d", "power", "pairs"), [(0.5, 0.80, 33.3671), (0.8, 0.80, 14.3028)])
def test_the_pairs_for_a_power_are_those_that_r_prints(d: float, power: float, pairs: float) -> None:
    assert t_power(d, 1 / math.sqrt(pairs), pairs - 1) == pytest.approx(power, abs=1e-5)


def test_the_group_for_a_power_of_ninety_is_the_one_that_r_prints() -> None:
    n = 22.0211
    assert t_power(1, math.sqrt(2 / n), 2 * n - 2) == pytest.approx(0.90, abs=1e-5)


def test_half_a_deviation_takes_54_pairs_as_g_power_says() -> None:
    assert t_power(0.5, 1 / math.sqrt(53.94), 52.94) == pytest.approx(0.95, abs=1e-4)
    reached = [n for n in range(50, 60) if t_power(0.5, 1 / math.sqrt(n), n - 1) >= 0.95]
    assert reached[0] == 54


@settings(deadline=None)
@given(st.floats(-3, 3), st.integers(2, 60), st.floats(0.001, 0.2))
def test_power_is_that_of_statsmodels(d: float, n: int, alpha: float) -> None:
    oracle = TTestPower().power(d, n, alpha)
    assume(not math.isnan(oracle))
    assert t_power(d, 1 / math.sqrt(n), n - 1, alpha=alpha) == pytest.approx(oracle, abs=1e-7)


# 2^4 cells, a deviation of 0.3 pp: the error of a main effect is 0.3 sqrt(4 / 16 S), of one difference
# 0.3 sqrt(2 / S).
TABLE = {2: (0.318, 0.899), 3: (0.251, 0.709), 5: (0.191, 0.540), 10: (0.134, 0.379)}


@pytest.mark.parametrize("seeds", TABLE)
def test_the_smallest_effects_of_a_factorial_are_those_of_the_table(seeds: int) -> None:
    main, difference = TABLE[seeds]
    df = 15 * (seeds - 1)
    assert smallest_detectable(0.3 * math.sqrt(4 / 16 / seeds), df) == pytest.approx(main, abs=5e-4)
    assert smallest_detectable(0.3 * math.sqrt(2 / seeds), df) == pytest.approx(difference, abs=5e-4)


@pytest.mark.parametrize(("variance", "seeds"), [(4 / 16, 5), (2, 36)])
def test_a_fifth_of_a_point_takes_5_seeds_by_main_effect_and_36_by_leaving_one_out(
    variance: float, seeds: int
) -> None:
    enough = [s for s in range(2, 60) if t_power(0.2, 0.3 * math.sqrt(variance / s), 15 * (s - 1)) >= 0.8]
    assert enough[0] == seeds


@pytest.mark.parametrize("df", [1, 2, 3, 10, 60, 1000])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.99])
def test_the_smallest_effect_is_found_with_just_that_power(df: int, power: float) -> None:
    """By scipy's distribution object; with one degree of freedom the effect is sixteen errors."""
    smallest, critical = smallest_detectable(0.7, df, power=power), t.ppf(0.975, df)
    found = nct.sf(critical, df, smallest / 0.7) + np.nan_to_num(nct.cdf(-critical, df, smallest / 0.7))
    assert found == pytest.approx(power, abs=1e-6)


@pytest.mark.parametrize("effect", [20.0, 50.0, 1e5, 1e13])
@pytest.mark.parametrize("df", [1, 2, 12, 300])
def test_an_effect_of_very_many_errors_is_found(effect: float, df: int) -> None:
    """Where scipy's own tail is NaN."""
    certain = nct.sf(t.ppf(0.975, df), df, min(effect, 1e4))
    assert t_power(effect, 1, df) == pytest.approx(certain, abs=1e-6)
    assert equivalence_power(1, df, effect) <= 1
    assert t_power(-effect, 1, df) == t_power(effect, 1, df)


def test_without_an_error_everything_and_without_degrees_nothing_is_known() -> None:
    assert (t_power(0.1, 0, 5), equivalence_power(0, 5, 0.1)) == (1, 1)
    for unknown in (t_power(1, 1, 0), t_power(1, math.nan, 5), smallest_detectable(1, 0)):
        assert math.isnan(unknown)
    assert math.isnan(equivalence_power(1, 0, 1))


def test_the_power_to_show_equivalence_is_what_simulation_says() -> None:
    """With V = 16, S = 3, delta = sigma the design page counted 92 % (main effects)."""
    source = np.random.default_rng(3)
    se, df, delta = math.sqrt(4 / 16 / 3), 30, 1.0
    estimates = source.normal(0, se, 20_000)
    errors = se * np.sqrt(source.chisquare(df, 20_000) / df)
    shown = np.mean((delta - np.abs(estimates)) / errors > t.ppf(0.95, df))
    assert equivalence_power(se, df, delta) == pytest.approx(shown, abs=0.01)


def test_seeds_that_are_needed_are_the_first_that_are_enough() -> None:
    design = Design(se=0.3, df=30, seeds=3, df_per_seed=15)
    needed = seeds_needed(design, 0.3)
    assert needed is not None

    def enough(seeds: int) -> bool:
        se, df = 0.3 * math.sqrt(3 / seeds), 30 + 15 * (seeds - 3)
        return t_power(0.3, se, df) >= 0.8 and equivalence_power(se, df, 0.3) >= 0.8

    assert enough(3 + needed)
    assert not enough(3 + needed - 1)


def test_a_small_pilot_plans_with_the_upper_limit_of_its_deviation() -> None:
    """Fewer than 20 degrees of freedom: the deviation times sqrt(df / chi2(.2, df))."""
    pilot = Design(se=0.3, df=4, seeds=3, df_per_seed=2)
    needed = seeds_needed(pilot, 0.3)
    assert needed is not None
    deviation = 0.3 * math.sqrt(3) * math.sqrt(4 / chi2.ppf(0.2, 4))

    def enough(seeds: int) -> bool:
        se, df = deviation / math.sqrt(seeds), 4 + 2 * (seeds - 3)
        return t_power(0.3, se, df) >= 0.8 and equivalence_power(se, df, 0.3) >= 0.8

    assert (enough(3 + needed), enough(3 + needed - 1)) == (True, False)


def test_seeds_do_not_lower_the_part_of_the_test_images() -> None:
    design = Design(se=0.1, df=30, seeds=3, df_per_seed=15, fixed_se=0.2)
    assert seeds_needed(design, 0.3) is None
    assert seeds_needed(design._replace(fixed_se=0.05), 0.3) is not None


def test_a_precise_table_needs_one_more_seed_and_a_hopeless_one_more_than_can_be_said() -> None:
    assert seeds_needed(Design(0.001, 30, 3, 15), 0.3) == 1
    assert seeds_needed(Design(100.0, 30, 3, 15), 0.3) is None
    assert seeds_needed(Design(math.nan, 0, 1, 15), 0.3) is None
    assert seeds_needed(Design(0.3, 30, MOST_SEEDS + 5, 15), 0.3) is None


def test_a_tiny_alpha_has_an_answer() -> None:
    """1 - alpha / 2 is 1 in floating point, whose quantile is infinite and never reached."""
    critical = t.isf(1e-20 / 2, 1e6)
    assert smallest_detectable(1.0, 1e6, alpha=1e-20) == pytest.approx(critical + 0.8416, rel=1e-3)

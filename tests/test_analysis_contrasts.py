"""Published analyses, and statsmodels as a second implementation."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols

from golden_cases import (
    FILTRATION_EFFECTS,
    NPK_YIELD,
    SHOES_A,
    SHOES_B,
    filtration,
    npk_cells,
    peas,
    pilot_plant,
    shoes,
    signs,
    yates,
)
from msanet_bench.analysis.contrasts import (
    NotEstimableError,
    contrast,
    fit_blocks,
    mean_interval,
)
from msanet_bench.analysis.verdicts import p_value
from msanet_bench.analysis.weights import weights_difference


@pytest.mark.parametrize(
    ("effect", "published"),
    [("T", 23.0), ("C", -5.0), ("K", 1.5), ("TC", 1.5), ("TK", 10.0), ("CK", 0.0), ("TCK", 0.5)],
)
def test_the_effects_of_the_pilot_plant_are_the_published_ones(effect: str, published: float) -> None:
    found = contrast(pilot_plant(), signs(effect, yates("TCK")))
    assert found.estimate == pytest.approx(published, abs=1e-12)
    assert found.se == pytest.approx(math.sqrt(2))


def test_the_error_and_interval_of_the_pilot_plant_are_the_published_ones() -> None:
    fit = pilot_plant()
    temperature = contrast(fit, signs("T", yates("TCK")))
    assert (fit.mean_square, fit.df) == (pytest.approx(8), 8)
    assert (temperature.low, temperature.high) == (
        pytest.approx(19.739, abs=5e-4),
        pytest.approx(26.261, abs=5e-4),
    )


@pytest.mark.parametrize(
    ("variant", "baseline", "difference"),
    [("TCK", "CK", 35), ("TCK", "TK", -3), ("TCK", "TC", 12), ("T", "-", 12), ("C", "-", -6), ("K", "-", -8)],
)
def test_single_differences_of_the_pilot_plant_are_differences_of_means(
    variant: str, baseline: str, difference: float
) -> None:
    assert contrast(pilot_plant(), weights_difference(variant, baseline)).estimate == pytest.approx(
        difference
    )


@pytest.mark.parametrize(
    ("effect", "sum_of_squares"),
    [("N", 189.2817), ("P", 8.4017), ("K", 95.2017), ("NP", 21.2817), ("NK", 33.1350), ("PK", 0.4817)],
)
def test_the_effects_of_the_incomplete_npk_blocks_have_the_sums_of_squares_that_r_prints(
    effect: str, sum_of_squares: float
) -> None:
    found = contrast(peas(), signs(effect, yates("NPK")))
    assert 24 / 4 * found.estimate**2 == pytest.approx(sum_of_squares, abs=5e-5)
    assert found.se == pytest.approx(1.60419, abs=5e-6)


def test_the_interval_of_nitrogen_is_the_one_that_r_prints() -> None:
    fit = peas()
    nitrogen = contrast(fit, signs("N", yates("NPK")))
    assert (math.sqrt(fit.mean_square), fit.df) == (pytest.approx(3.929447, abs=5e-7), 12)
    assert nitrogen.estimate == pytest.approx(5.6167, abs=5e-5)
    assert (nitrogen.low, nitrogen.high) == (
        pytest.approx(2.1214, abs=5e-5),
        pytest.approx(9.1119, abs=5e-5),
    )


def test_the_interaction_that_is_confounded_with_blocks_is_refused() -> None:
    with pytest.raises(NotEstimableError, match="cannot be told from the differences between the blocks"):
        contrast(peas(), signs("NPK", yates("NPK")))


@pytest.mark.parametrize(("effect", "published"), FILTRATION_EFFECTS.items())
def test_an_unreplicated_factorial_has_effects_but_no_interval(effect: str, published: float) -> None:
    found = contrast(filtration(), signs(effect, yates("ABCD")))
    assert found.estimate == pytest.approx(published)
    assert (found.df, found.has_interval, found.excludes_zero) == (0, False, False)
    assert math.isnan(found.se)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_two_variants_in_blocks_are_the_paired_t_interval_of_the_boys_shoes() -> None:
    found = contrast(shoes(), weights_difference("B", "A"))
    assert (found.estimate, found.df) == (pytest.approx(0.41), 9)
    assert found.estimate / found.se == pytest.approx(3.3489, abs=5e-5)
    assert (found.low, found.high) == (pytest.approx(0.133046, abs=5e-7), pytest.approx(0.686954, abs=5e-7))
    assert found.excludes_zero


def test_without_the_boys_as_blocks_the_difference_between_the_shoes_is_lost() -> None:
    fit = fit_blocks(["A"] * 10 + ["B"] * 10, ["all"] * 20, SHOES_A + SHOES_B)
    assert not contrast(fit, weights_difference("B", "A")).excludes_zero


def test_the_mean_interval_of_the_differences_between_the_shoes_is_the_published_one() -> None:
    found = mean_interval([b - a for a, b in zip(SHOES_A, SHOES_B, strict=True)])
    assert (found.mean, found.sd, found.n) == (pytest.approx(0.41), pytest.approx(0.38715, abs=5e-6), 10)
    assert (found.low, found.high) == (pytest.approx(0.133046, abs=5e-7), pytest.approx(0.686954, abs=5e-7))


def test_one_value_has_a_mean_and_no_interval() -> None:
    found = mean_interval([0.5])
    assert (found.mean, found.n, found.has_interval, found.excludes_zero) == (0.5, 1, False, False)
    assert math.isnan(found.low)
    assert math.isnan(found.sd)


def unbalanced() -> pd.DataFrame:
    generator = np.random.default_rng(5)
    rows = [
        (v, b) for v in "abcd" for b in range(5) if (v, b) not in {("a", 0), ("c", 3), ("d", 1), ("d", 2)}
    ]
    frame = pd.DataFrame(rows, columns=["variant", "block"])
    return frame.assign(y=generator.normal(size=len(frame)) + frame["block"])


@pytest.mark.parametrize("variant", ["b", "c", "d"])
def test_missing_cells_are_handled_as_statsmodels_does(variant: str) -> None:
    frame = unbalanced()
    oracle = ols("y ~ C(variant) + C(block)", frame).fit()
    term = f"C(variant)[T.{variant}]"
    fit = fit_blocks(list(frame["variant"]), list(frame["block"]), list(frame["y"]))
    found = contrast(fit, weights_difference(variant, "a"))
    assert found.estimate == pytest.approx(oracle.params[term])
    assert found.se == pytest.approx(oracle.bse[term])
    assert found.df == oracle.df_resid
    assert (found.low, found.high) == pytest.approx(tuple(oracle.conf_int().loc[term]))


def test_variants_that_share_no_block_are_not_compared() -> None:
    fit = fit_blocks(["a", "a", "b", "b"], [0, 1, 2, 3], [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(NotEstimableError, match=r"contrast of b, a cannot .* blocks 0, 1, 2, 3"):
        contrast(fit, weights_difference("b", "a"))


def test_variants_that_share_a_block_only_through_a_third_are_compared() -> None:
    fit = fit_blocks(["a", "c", "c", "b"], [0, 0, 1, 1], [1.0, 3.0, 10.0, 11.0])
    # a is 2 below c, b is 1 above c.
    assert contrast(fit, weights_difference("b", "a")).estimate == pytest.approx(3)


def test_a_single_mean_is_no_contrast() -> None:
    fit = fit_blocks(["a", "b"], [0, 0], [1.0, 2.0])
    with pytest.raises(NotEstimableError):
        contrast(fit, {"a": 1.0})


def test_a_variant_without_a_value_is_named() -> None:
    fit = fit_blocks(["a", "b"], [0, 0], [1.0, 2.0])
    with pytest.raises(NotEstimableError, match="no value of c"):
        contrast(fit, weights_difference("c", "a"))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2, 1 and 2"):
        fit_blocks(["a", "b"], [0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("effect", "f"),
    [("T", 264.5), ("C", 12.5), ("K", 1.125), ("TC", 1.125), ("TK", 50), ("CK", 0), ("TCK", 0.125)],
)
def test_the_f_values_of_the_pilot_plant_are_the_published_ones(effect: str, f: float) -> None:
    found = contrast(pilot_plant(), signs(effect, yates("TCK")))
    assert (found.estimate / found.se) ** 2 == pytest.approx(f)


@pytest.mark.parametrize(
    ("effect", "f", "p"),
    [
        ("N", 12.259, 0.00437),
        ("P", 0.544, 0.47490),
        ("K", 6.166, 0.02880),
        ("NP", 1.378, 0.26317),
        ("NK", 2.146, 0.16865),
        ("PK", 0.031, 0.86275),
    ],
)
def test_the_f_and_p_of_the_peas_are_those_that_r_prints(effect: str, f: float, p: float) -> None:
    found = contrast(peas(), signs(effect, yates("NPK")))
    assert (found.estimate / found.se) ** 2 == pytest.approx(f, abs=5e-4)
    assert p_value(found) == pytest.approx(p, abs=5e-6)


@pytest.mark.parametrize(("effect", "published"), [("N", 5.6167), ("P", -1.1833), ("K", -3.9833)])
def test_the_main_effects_of_the_peas_are_those_that_r_prints(effect: str, published: float) -> None:
    assert contrast(peas(), signs(effect, yates("NPK"))).estimate == pytest.approx(published, abs=5e-5)


def test_a_model_without_interactions_pools_them_into_the_error_as_r_does() -> None:
    """R's `yield ~ block + N + K`: no model of cells, but its error is ours and what it leaves out."""
    fit, cells = peas(), yates("NPK")
    left_out = sum(6 * contrast(fit, signs(name, cells)).estimate ** 2 for name in ("P", "NP", "NK", "PK"))
    mean_square = (fit.mean_square * fit.df + left_out) / (fit.df + 4)
    assert math.sqrt(mean_square / 6) == pytest.approx(1.609175, abs=5e-7)


def test_cells_of_two_factors_are_the_model_with_their_interaction() -> None:
    frame = pd.DataFrame({"cell": npk_cells("NK"), "block": [row // 4 for row in range(24)], "y": NPK_YIELD})
    oracle = ols("y ~ C(cell) + C(block)", frame).fit()
    fit = peas("NK")
    assert (fit.mean_square, fit.df) == (pytest.approx(oracle.mse_resid), oracle.df_resid)


def test_a_paired_and_an_unpaired_look_at_the_shoes_have_the_published_p() -> None:
    unpaired = fit_blocks(["A"] * 10 + ["B"] * 10, ["all"] * 20, SHOES_A + SHOES_B)
    weights = weights_difference("B", "A")
    assert p_value(contrast(shoes(), weights)) == pytest.approx(0.0085388, abs=5e-8)
    assert p_value(contrast(unpaired, weights)) == pytest.approx(0.716, abs=5e-4)


def test_equal_accuracies_are_not_known_exactly() -> None:
    """Three times 36 of 360 images: t of 2 degrees of freedom times 1 / (sqrt(12) 360) / sqrt(3)."""
    known = mean_interval([0.1, 0.1, 0.1], least_variance=1 / (12 * 360**2))
    assert (known.low, known.high) == pytest.approx((0.1 - 0.0019920, 0.1 + 0.0019920), abs=1e-7)
    assert known.sd == pytest.approx(0, abs=1e-15)
    wide = [0.1, 0.2, 0.3]
    assert mean_interval(wide, least_variance=1e-9) == mean_interval(wide)


def test_residuals_of_rounding_alone_are_none() -> None:
    """Additive values leave 1e-17, from which Brown and Forsythe would read any p that there is."""
    cells = [(name, seed) for name in range(3) for seed in range(4)]
    values = [0.81 + 0.013 * name + 0.0007 * seed for name, seed in cells]
    fit = fit_blocks([str(name) for name, _ in cells], [seed for _, seed in cells], values)
    assert not fit.residuals.any()

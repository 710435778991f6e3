"""Seeds crossed with images: a small table by hand, statsmodels, and variances that were planted."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from msanet_bench.analysis.contrasts import t_interval
from msanet_bench.analysis.crossed import cross, floor, on_new_data
from msanet_bench.analysis.power import smallest_detectable

# Rows are seeds, columns images. Mean 1; of seeds 2/3 and 4/3, of images 2, 1, 0.
SMALL = np.array([[2, 0, 0], [2, 2, 0]], dtype=np.float32)


def test_a_table_of_two_seeds_and_three_images_by_hand() -> None:
    """Squares about the mean: 6 in all, 3 (1/9 + 1/9) of seeds, 2 (1 + 0 + 1) of images, 4/3 left.

    Mean squares: images 4 / 2 = 2, rest (4/3) / 2 = 2/3.
    """
    found = cross(SMALL)
    assert (found.seeds, found.images, found.estimate) == (2, 3, 1.0)
    assert found.images_variance == pytest.approx((2 - 2 / 3) / 6)
    assert found.images_df == pytest.approx((4 / 3) ** 2 / (2 + 2 / 9))
    assert (found.gained, found.lost) == (pytest.approx(3 / 6), 0)


def test_new_images_widen_the_interval_by_their_variance() -> None:
    here = t_interval(1.0, 0.5, 20)
    found = on_new_data(here, cross(SMALL))
    assert found is not None
    of_images, images_df = (2 - 2 / 3) / 6, (4 / 3) ** 2 / (2 + 2 / 9)
    variance = 0.25 + of_images
    assert found.estimate == 1.0
    assert found.se == pytest.approx(math.sqrt(variance))
    assert found.df == pytest.approx(variance**2 / (0.25**2 / 20 + of_images**2 / images_df))
    assert found.high - found.low > here.high - here.low


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 4), st.integers(3, 8), st.integers(0, 2**32 - 1))
def test_mean_squares_are_those_of_statsmodels(seeds: int, images: int, state: int) -> None:
    source = np.random.default_rng(state)
    table = source.integers(-1, 2, (seeds, images)) + 3 * source.integers(-1, 2, images)
    frame = pd.DataFrame(
        {"d": table.ravel(), "s": np.repeat(range(seeds), images), "i": np.tile(range(images), seeds)}
    )
    oracle = anova_lm(ols("d ~ C(s) + C(i)", frame).fit())
    of_images, rest = oracle["mean_sq"]["C(i)"], oracle["mean_sq"]["Residual"]
    found = cross(table.astype(np.float32))
    assert found.images_variance * seeds * images == pytest.approx(max(of_images - rest, 0), abs=1e-6)


def test_planted_variances_are_found_on_average() -> None:
    """Deviations: seeds 0.1, images 0.5, the rest 0.4, of 4 x 500: images add 0.25 / 500."""
    source = np.random.default_rng(7)
    found = [
        cross(
            (
                source.normal(0, 0.1, (4, 1)) + source.normal(0, 0.5, 500) + source.normal(0, 0.4, (4, 500))
            ).astype(np.float32)
        )
        for _ in range(300)
    ]
    variances = [crossed.images_variance for crossed in found]
    assert np.mean(variances) == pytest.approx(0.25 / 500, rel=0.02)


def test_a_constant_for_a_seed_changes_nothing_about_images() -> None:
    source = np.random.default_rng(1)
    table = source.integers(-1, 2, (3, 50)).astype(np.float32)
    shifted = table + np.array([[0], [8], [-4]], dtype=np.float32)
    before, after = cross(table), cross(shifted)
    assert after.images_variance == pytest.approx(before.images_variance)
    assert after.images_df == pytest.approx(before.images_df)


def test_one_seed_cannot_tell_images_from_luck() -> None:
    found = cross(SMALL[:1])
    assert math.isnan(found.images_variance)
    assert on_new_data(t_interval(1.0, 0.5, 20), found) is None
    assert math.isnan(floor(found))


def test_without_degrees_of_freedom_there_is_no_interval_on_new_data() -> None:
    assert on_new_data(t_interval(1.0, math.nan, 0), cross(SMALL)) is None


def test_images_that_differ_less_than_the_rest_add_nothing() -> None:
    """All that images and seeds do is done together: means of images are equal."""
    found = cross(np.array([[1, -1, 0], [-1, 1, 0]], dtype=np.float32))
    assert found.images_variance == 0
    here = t_interval(0.0, 0.5, 20)
    assert on_new_data(here, found) == pytest.approx(here)


def test_a_difference_of_nothing_has_no_spread() -> None:
    found = cross(np.zeros((3, 10), dtype=np.float32))
    assert (found.estimate, found.images_variance, found.gained, found.lost) == (0, 0, 0, 0)
    assert on_new_data(t_interval(0.0, 0.0, 20), found) == t_interval(0.0, 0.0, 20)


def test_the_floor_of_five_percent_disagreement_is_the_one_of_the_design_page() -> None:
    """Two fixed networks that disagree on 5 % of 10,000 images, as often either way: 0.63 pp at 80 %."""
    disagree = np.zeros(10_000, dtype=np.float32)
    disagree[:250], disagree[250:500] = 1, -1
    found = cross(np.array([disagree, disagree]))
    assert found.images_variance == pytest.approx(0.05 / 10_000, rel=1e-3)
    assert floor(found) == pytest.approx(0.0063, abs=5e-5)
    assert floor(found) == smallest_detectable(math.sqrt(found.images_variance), 9_999)


def test_a_floor_stays_one_where_a_few_seeds_hardly_tell_images_from_luck() -> None:
    """Satterthwaite's degrees of freedom, below one here, are of today's seeds; its t alone is 10^30."""
    found = replace(cross(SMALL), images=360, images_variance=1e-5, images_df=0.02)
    assert floor(found) == pytest.approx((1.96 + 0.84) * math.sqrt(1e-5), rel=0.01)

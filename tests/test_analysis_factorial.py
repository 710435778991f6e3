"""Two-level designs by signs, whole and in part, and what stands out where nothing is repeated."""

import itertools

import numpy as np
import pytest

from golden_cases import (
    FILTRATION,
    FILTRATION_EFFECTS,
    SHOES_A,
    SHOES_B,
    filtration,
    levels_of,
    signs,
    turned_on,
    yates,
)
from msanet_bench.analysis.contrasts import contrast, fit_blocks
from msanet_bench.analysis.factorial import NotBalancedError, SignContrast, cube, sign_contrasts
from msanet_bench.analysis.lenth import lenth
from msanet_bench.analysis.sign_flip import sign_flip_p
from msanet_bench.analysis.weights import interaction


def designed(cells: list[str], letters: str) -> dict[str, dict[str, int]]:
    return {cell: {letter: 1 if letter in cell else -1 for letter in letters} for cell in cells}


def named(found: SignContrast) -> str:
    (first, _), *others = found.terms
    return "".join(first) + "".join(f" {'+' if s > 0 else '-'} {''.join(f)}" for f, s in others)


def test_a_whole_factorial_tells_every_effect_by_the_product_of_signs() -> None:
    found = sign_contrasts(designed(yates("ABCD"), "ABCD"))
    assert [named(one) for one in found] == list(FILTRATION_EFFECTS)
    for one in found:
        assert one.weights == signs(named(one), yates("ABCD"))


def test_the_effects_that_stand_out_of_the_filtration_rates_are_the_published_ones() -> None:
    effects = {
        named(one): contrast(filtration(), one.weights).estimate
        for one in sign_contrasts(designed(yates("ABCD"), "ABCD"))
    }
    margins = lenth(list(effects.values()))
    assert effects == pytest.approx(FILTRATION_EFFECTS)
    assert margins is not None
    assert margins.pseudo_se == pytest.approx(2.625)
    assert margins.margin == pytest.approx(6.748, abs=5e-4)
    assert margins.simultaneous_margin == pytest.approx(13.699, abs=5e-4)
    assert {name for name, effect in effects.items() if abs(effect) > margins.margin} == {
        *("A", "C", "D", "AC", "AD")
    }


HALF = [cell for cell in yates("ABCD") if len(cell.strip("-")) % 2 == 0]


def test_the_half_fraction_has_the_published_aliases_and_effects() -> None:
    """I = ABCD: the runs of example 8.1 are those of the whole factorial with an even number of letters."""
    rates = dict(zip(yates("ABCD"), FILTRATION, strict=True))
    fit = fit_blocks(HALF, ["all"] * 8, [rates[cell] for cell in HALF])
    found = {
        named(one): contrast(fit, one.weights).estimate for one in sign_contrasts(designed(HALF, "ABCD"))
    }
    assert found == pytest.approx(
        {
            "A + BCD": 19.0,
            "B + ACD": 1.5,
            "C + ABD": 14.0,
            "D + ABC": 16.5,
            "AB + CD": -1.0,
            "AC + BD": -18.5,
            "AD + BC": 19.0,
        }
    )


def test_the_other_half_has_aliases_that_count_minus() -> None:
    other = [cell for cell in yates("ABC") if cell not in {"A", "B", "C", "ABC"}]
    found = [named(one) for one in sign_contrasts(designed(other, "ABC"))]
    assert found == ["A - BC", "B - AC", "C - AB"]


def test_an_alias_is_what_the_contrast_makes_of_both_effects() -> None:
    """Planted: A is worth 3 and BCD is worth -1, so their contrast must say 2."""
    for cells, expected in ((HALF, 2.0), ([c for c in yates("ABCD") if c not in HALF], 4.0)):
        design = designed(cells, "ABCD")
        worth = [1.5 * d["A"] - 0.5 * d["B"] * d["C"] * d["D"] for d in design.values()]
        fit = fit_blocks(cells, ["all"] * 8, worth)
        assert contrast(fit, sign_contrasts(design)[0].weights).estimate == pytest.approx(expected)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["-", "A", "B"], "`A` is not in as many cells at one level as at the other"),
        (["-", "AB"], "`A` and `B` always change together"),
        (["A", "B"], "`A` and `B` always change together"),
        (["-", "A", "AB", "AB2", "B", "B2"], "not in as many cells"),
        (["-", "-2", "A", "AB", "AB2", "B"], "combinations of `A` and `B` are not in equally many cells"),
    ],
)
def test_designs_without_independent_contrasts_are_refused(cells: list[str], reason: str) -> None:
    with pytest.raises(NotBalancedError, match=reason):
        sign_contrasts(designed(cells, "AB"))


@pytest.mark.parametrize("number", [0, 3, 6])
def test_too_few_effects_have_no_pseudo_standard_error(number: int) -> None:
    assert lenth([1.0] * number) is None


def test_effects_of_nothing_stand_out_as_often_as_the_tables_of_wu_and_hamada_say() -> None:
    """Their appendix H: fifteen effects of nothing lie beyond 2.16 pseudo errors once in twenty times.

    Lenth's own margin, 2.57 of them, is cautious.
    """
    source = np.random.default_rng(8)
    sizes, margins = [], []
    for _ in range(3000):
        effects = source.normal(size=15)
        found = lenth(effects.tolist())
        assert found is not None
        sizes.append(np.abs(effects) / found.pseudo_se)
        margins.append(found.margin / found.pseudo_se)
    assert margins == pytest.approx([2.571] * 3000, abs=5e-4)
    assert np.mean(np.array(sizes) > 2.16) == pytest.approx(0.05, abs=0.004)
    assert 0.02 < np.mean(np.array(sizes) > 2.571) < 0.05


def test_effects_that_are_all_zero_have_no_margin() -> None:
    margins = lenth([0.0] * 7)
    assert margins is not None
    assert (margins.pseudo_se, margins.margin) == (0, 0)


def test_the_exact_p_of_the_shoes_is_the_published_one() -> None:
    worn = [b - a for a, b in zip(SHOES_A, SHOES_B, strict=True)]
    assert sign_flip_p(worn) == 14 / 1024


def test_the_exact_p_is_that_of_trying_all_signs() -> None:
    source = np.random.default_rng(6)
    for n in (1, 2, 5, 8):
        values = source.normal(0.3, 1, n)
        flipped = [abs(np.dot(values, some)) for some in itertools.product((1, -1), repeat=n)]
        assert sign_flip_p(list(values)) == np.mean(np.array(flipped) >= abs(values.sum()) - 1e-12)


def test_equal_sums_count_although_rounding_parts_them() -> None:
    # .1 + .2 - .3 is 5.6e-17, not 0; the sums of three equal tenths differ in the last digit
    assert sign_flip_p([0.1, 0.1, 0.1]) == 0.25
    assert sign_flip_p([0.1, 0.2, -0.3]) == 1.0


@pytest.mark.parametrize("number", [0, 21])
def test_no_pairs_and_too_many_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="1 to 20 differences"):
        sign_flip_p([1.0] * number)


@pytest.mark.parametrize(
    ("effect", "published"), [(n, e) for n, e in FILTRATION_EFFECTS.items() if len(n) > 1]
)
def test_interactions_of_any_order_over_matched_groups_are_the_published_ones(
    effect: str, published: float
) -> None:
    found = cube(levels_of("ABCD", yates("ABCD")), [turned_on(letter) for letter in effect])
    assert found is not None
    assert found.groups == 2 ** (4 - len(effect))
    assert contrast(filtration(), found.weights).estimate == pytest.approx(published)


@pytest.mark.parametrize("pair", ["AB", "CD"])
def test_of_two_changes_it_is_the_interaction_also_with_missing_cells(pair: str) -> None:
    cells = levels_of("ABCD", [cell for cell in yates("ABCD") if cell not in {"-", "BC"}])
    changes = [turned_on(letter) for letter in pair]
    assert cube(cells, changes) == interaction(cells, *changes)


def test_of_one_change_it_is_the_main_effect() -> None:
    found = cube(levels_of("AB", yates("AB")), [turned_on("A")])
    assert found is not None
    assert found.weights == signs("A", yates("AB"))


def test_without_a_group_of_all_combinations_there_is_no_interaction() -> None:
    assert cube(levels_of("ABC", ["-", "AB", "AC", "BC"]), [turned_on(letter) for letter in "ABC"]) is None

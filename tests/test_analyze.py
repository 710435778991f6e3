"""Tables of others: the published numbers come out of the file, and what cannot be said is said to be so."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols

import result_tables as tables
from msanet_bench.analyze import Analysis, Question, analyze
from msanet_bench.analyze.as_json import render_json
from msanet_bench.analyze.fitted import Row


def row(analysis: Analysis, label: str) -> Row:
    return next(row for family in analysis.families for row in family.rows if row.label == label)


def titles(analysis: Analysis) -> list[str]:
    return [family.title for family in analysis.families]


@pytest.mark.parametrize(
    ("label", "effect", "p"),
    [
        ("T: 180 against 160", 23.0, 264.5),
        ("C: 40 against 20", -5.0, 12.5),
        ("K: B against A", 1.5, 1.125),
        ("T x C", 1.5, 1.125),
        ("T x K", 10.0, 50),
        ("C x K", 0.0, 0),
    ],
)
def test_the_pilot_plant_has_its_published_effects(
    label: str, effect: float, p: float, tmp_path: Path
) -> None:
    found = row(analyze(tables.pilot_plant(tmp_path), Question("yield")), label).contrast
    assert found is not None
    assert found.estimate == pytest.approx(effect, abs=1e-12)
    assert (found.se, found.df) == (pytest.approx(math.sqrt(2)), 8)
    assert (found.estimate / found.se) ** 2 == pytest.approx(p)


def test_the_pilot_plant_has_its_published_credit(tmp_path: Path) -> None:
    credit = analyze(tables.pilot_plant(tmp_path), Question("yield")).credit
    assert credit is not None
    assert credit.whole.estimate == pytest.approx(20)
    found = {
        share.component: [one.estimate for one in (share.removed, share.added, share.main, share.shapley)]
        for share in credit.shares
    }
    assert found["T"] == pytest.approx([35, 12, 23.0, 23.1667], abs=5e-5)
    assert found["C"] == pytest.approx([-3, -6, -5.0, -4.8333], abs=5e-5)
    assert found["K"] == pytest.approx([12, -8, 1.5, 1.6667], abs=5e-5)
    assert [share.shapley.se for share in credit.shares] == pytest.approx([1.4907] * 3, abs=5e-5)


def test_words_need_a_delta_and_say_what_it_means(tmp_path: Path) -> None:
    path = tables.pilot_plant(tmp_path)
    verdicts = {
        row.label: row.verdict for row in analyze(path, Question("yield", delta=5.0)).families[0].rows
    }
    # T is [19.7, 26.3]; C [-8.3, -1.7] reaches below 5; K [-1.8, 4.8], 90 % inside 5
    assert {label: verdict and verdict.word for label, verdict in verdicts.items()} == {
        "T: 180 against 160": "HELPS",
        "C: 40 against 20": "hurts",
        "K: B against A": "NO MATERIAL EFFECT",
    }
    assert all(row.verdict is None for row in analyze(path, Question("yield")).families[0].rows)


def test_where_lower_is_better_words_turn_and_numbers_stay(tmp_path: Path) -> None:
    path = tables.pilot_plant(tmp_path)
    up, down = (
        row(analyze(path, Question("yield", delta=5.0, lower_is_better=lower)), "T: 180 against 160")
        for lower in (False, True)
    )
    assert up.contrast == down.contrast
    assert up.verdict is not None
    assert down.verdict is not None
    assert (up.verdict.word, down.verdict.word) == ("HELPS", "HURTS")


@pytest.mark.parametrize(
    ("label", "effect", "p"),
    [
        ("N: 1 against 0", 5.6167, 0.00437),
        ("P: 1 against 0", -1.1833, 0.47490),
        ("K: 1 against 0", -3.9833, 0.02880),
    ],
)
def test_the_peas_have_the_effects_that_r_prints(label: str, effect: float, p: float, tmp_path: Path) -> None:
    path = tables.peas(tmp_path)
    found = row(analyze(path, Question("yield", factors=(label[0],), block="block")), label)
    assert found.contrast is not None
    assert found.contrast.estimate == pytest.approx(effect, abs=5e-5)
    whole = row(analyze(path, Question("yield", block="block")), label)
    assert whole.contrast is not None
    assert whole.contrast.se == pytest.approx(1.60419, abs=5e-6)
    family = sorted([0.00437, 0.47490, 0.02880])
    holm = max((3 - place) * one for place, one in enumerate(family) if one <= p)
    assert whole.p == pytest.approx(holm, abs=2e-5)


def test_what_is_confounded_with_blocks_is_refused_with_the_reason(tmp_path: Path) -> None:
    analysis = analyze(tables.peas(tmp_path), Question("yield", block="block", order=3))
    found = row(analysis, "N x P x K")
    assert (found.contrast, found.reason) == (None, "cannot be told from the differences between blocks")
    assert analysis.credit is None
    assert analysis.no_credit == "single cells cannot be told from the differences between blocks"


def test_what_three_factors_do_is_explored_and_never_judged(tmp_path: Path) -> None:
    analysis = analyze(tables.pilot_plant(tmp_path), Question("yield", delta=5.0, order=3))
    explored = analysis.families[2]
    assert (explored.title, explored.adjustment) == ("Interactions of three factors", "Benjamini-Hochberg")
    (found,) = explored.rows
    assert found.contrast is not None
    assert found.contrast.estimate == pytest.approx(0.5)
    assert found.verdict is None


def test_without_repetition_lenth_says_what_stands_out(tmp_path: Path) -> None:
    analysis = analyze(tables.filtration(tmp_path), Question("rate"))
    screening = analysis.screening
    assert screening is not None
    assert screening.margins is not None
    assert screening.margins.pseudo_se == pytest.approx(2.625)
    assert screening.margins.margin == pytest.approx(6.748, abs=5e-4)
    active = {label for label, effect in screening.effects if abs(effect) > screening.margins.margin}
    assert active == {"A", "C", "D", "A x C", "A x D"}
    assert all(math.isnan(row.p) for row in analysis.families[0].rows)


def test_a_half_fraction_names_its_aliases(tmp_path: Path) -> None:
    analysis = analyze(tables.filtration(tmp_path, half=True), Question("rate"))
    assert titles(analysis) == [
        "Main effects and their aliases",
        "Interactions of two factors and their aliases",
    ]
    found = {row.label: row.contrast and row.contrast.estimate for f in analysis.families for row in f.rows}
    assert found == pytest.approx(
        {
            "A + B x C x D": 19.0,
            "B + A x C x D": 1.5,
            "C + A x B x D": 14.0,
            "D + A x B x C": 16.5,
            "A x B + C x D": -1.0,
            "A x C + B x D": -18.5,
            "A x D + B x C": 19.0,
        }
    )


def test_a_fraction_that_is_repeated_has_intervals_and_verdicts(tmp_path: Path) -> None:
    """2^(3-1) with C = AB, planted worth of A 4 and of BC 2: their contrast is 6."""
    source = np.random.default_rng(1)
    rows = [
        f"{a},{b},{a * b},{2 * a + 1 * a + source.normal(0, 0.1):.3f}"
        for a, b in itertools.product((-1, 1), repeat=2)
        for _ in range(4)
    ]
    analysis = analyze(tables.write(tmp_path, "A,B,C,y", *rows), Question("y", delta=1.0))
    found = row(analysis, "A + B x C")
    assert found.contrast is not None
    assert found.contrast.low < 6 < found.contrast.high
    assert found.verdict is not None
    assert found.verdict.word == "HELPS"
    assert analysis.screening is None


def test_a_design_that_is_no_balanced_fraction_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tables.write(tmp_path, "A,B,y", "0,0,1", "1,1,2", "0,0,1.5", "1,1,2.5")
    analysis = analyze(path, Question("y", factors=("A", "B")))
    assert analysis.not_a_fraction.startswith("`A` and `B` always change together")
    assert {row.reason for row in analysis.families[0].rows} == {
        "no two cells with a value differ in this alone"
    }


def test_the_shoes_have_their_paired_interval_and_exact_p(tmp_path: Path) -> None:
    analysis = analyze(tables.shoes(tmp_path), Question("wear", block="boy", lower_is_better=True, delta=0.5))
    found = row(analysis, "material: B against A")
    assert found.contrast is not None
    assert (found.contrast.low, found.contrast.high) == pytest.approx((0.133046, 0.686954), abs=5e-7)
    assert analysis.exact is not None
    assert (analysis.exact.pairs, analysis.exact.p) == (10, 14 / 1024)


def test_without_the_boys_the_rows_of_a_material_are_replicates(tmp_path: Path) -> None:
    analysis = analyze(tables.shoes(tmp_path), Question("wear", factors=("material",)))
    found = row(analysis, "material: B against A")
    assert found.p == pytest.approx(0.716, abs=5e-4)
    assert analysis.exact is None


def unbalanced(folder: Path) -> tuple[Path, pd.DataFrame]:
    """3 x 2 levels in four blocks, with holes."""
    source = np.random.default_rng(3)
    cells = [*itertools.product((1, 3, 9), ("on", "off"), range(4))]
    kept = [cell for cell in cells if cell not in {(1, "on", 0), (9, "off", 2), (9, "off", 3)}]
    frame = pd.DataFrame(kept, columns=["kernel", "attention", "seed"])
    frame = frame.assign(y=(source.normal(size=len(frame)) + frame["seed"]).round(4))
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    return path, frame


def test_an_incomplete_table_is_fitted_as_statsmodels_does(tmp_path: Path) -> None:
    path, frame = unbalanced(tmp_path)
    frame = frame.assign(cell=frame["attention"] + frame["kernel"].astype(str))
    oracle = ols("y ~ C(cell) + C(seed)", frame).fit()
    halves = {"on3": 0.5, "off3": 0.5, "on1": -0.5, "off1": -0.5}
    wanted = [halves.get(name.partition("T.")[2].rstrip("]"), 0.0) for name in oracle.params.index]
    tested = oracle.t_test(wanted)
    found = row(analyze(path, Question("y", block="seed")), "kernel: 3 against 1")
    assert found.contrast is not None
    assert found.contrast.estimate == pytest.approx(tested.effect[0])
    assert found.contrast.se == pytest.approx(tested.sd[0, 0])
    assert (found.groups, found.contrast.df) == (2, oracle.df_resid)


def test_numbers_of_three_levels_have_trends(tmp_path: Path) -> None:
    path, _ = unbalanced(tmp_path)
    analysis = analyze(path, Question("y", block="seed"))
    assert titles(analysis)[-1] == "Trends"
    assert [row.label for row in analysis.families[-1].rows] == [
        "kernel: linear over 1, 3, 9",
        "kernel: quadratic over 1, 3, 9",
    ]


def test_a_planted_line_is_linear_and_not_curved(tmp_path: Path) -> None:
    rows = [f"{x},{3 * x + seed},{seed}" for x in (1, 2, 5) for seed in range(2)]
    analysis = analyze(tables.write(tmp_path, "x,y,seed", *rows), Question("y", block="seed"))
    linear, quadratic = (row.contrast for row in analysis.families[-1].rows)
    assert linear is not None
    assert quadratic is not None
    # a slope of 3 over the range from 1 to 5
    assert linear.estimate == pytest.approx(3 * (5 - 1))
    assert quadratic.estimate == pytest.approx(0, abs=1e-9)


def test_more_seeds_are_asked_for_in_the_name_of_the_block(tmp_path: Path) -> None:
    path, _ = unbalanced(tmp_path)
    found = row(analyze(path, Question("y", block="seed", delta=1.0)), "kernel: 3 against 1")
    assert found.verdict is not None
    assert found.verdict.word == "UNRESOLVED"
    assert found.more is not None
    assert found.more > 4


def test_a_failed_run_is_counted_named_and_not_averaged_over(tmp_path: Path) -> None:
    rows = ("a,0,1.0", "a,1,2.0", "b,0,", "b,1,4.0", "a,2,nan", "b,2,5")
    analysis = analyze(tables.write(tmp_path, "net,seed,y", *rows), Question("y", block="seed"))
    assert [(one.line, one.variant, one.block) for one in analysis.trials.failures] == [
        (4, "net=b", "0"),
        (6, "net=a", "2"),
    ]
    found = row(analysis, "net: b against a").contrast
    assert found is not None
    # only seed 1 has both: 4 - 2
    assert found.estimate == pytest.approx(2.0)


def test_a_nested_factor_is_averaged_over_where_its_branch_is_on(tmp_path: Path) -> None:
    rows = [
        f"{branch},{d},{seed},{y + seed}"
        for branch, d, y in (("on", 1, 3), ("on", 2, 5), ("off", "", 1))
        for seed in range(3)
    ]
    analysis = analyze(tables.write(tmp_path, "branch,dilation,seed,y", *rows), Question("y", block="seed"))
    off = row(analysis, "branch: off against on")
    assert off.contrast is not None
    assert (off.contrast.estimate, off.groups) == (pytest.approx(1 - (3 + 5) / 2), 2)
    assert "Interactions of two factors" not in titles(analysis)


def test_json_has_every_number_and_null_for_what_is_not_known(tmp_path: Path) -> None:
    found = json.loads(render_json(analyze(tables.filtration(tmp_path), Question("rate"))))
    assert found["families"][0]["rows"][0]["estimate"] == 21.625
    assert found["families"][0]["rows"][0]["se"] is None
    assert found["screening"]["effects"]["A x C"] == -18.125
    assert found["error"]["df"] == 0


def test_the_results_of_a_sweep_are_read_as_they_are() -> None:
    """One at a time: a main effect is the mean difference to the baseline, by pandas from the same file."""
    path = Path(__file__).parents[1] / "results" / "fashion_mnist_pilot" / "results.csv"
    analysis = analyze(path, Question(block="seed"))
    means = pd.read_csv(path).groupby("variant")["accuracy"].mean()
    for change in ("branches.conv3=off", "branches.conv5=off", "branches.context=off"):
        found = row(analysis, change.replace("=off", ": off against on")).contrast
        assert found is not None
        assert found.estimate == pytest.approx(means[change] - means["baseline"])
    assert [factor.name for factor in analysis.trials.factors] == [
        "branches.conv3",
        "branches.conv5",
        "branches.dilated",
        "branches.context",
        "attention",
        "branches.dilated.dilation",
    ]

"""Accuracies side by side, with differences worked out by hand."""

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from compared import cell, cells, column_of, compare_records, entry_of, table_of, write_folder
from msanet_bench.compare import Comparison, compare, exit_code, parse_gate, parse_sides, render, rule
from msanet_bench.errors import BenchError, ResultsError
from msanet_bench.records import Record, pack_bits

Compare = Callable[..., Comparison]


@pytest.fixture
def compared(tmp_path: Path) -> Compare:
    """Compare two lists of records."""
    return lambda base, head, **options: compare_records(tmp_path, base, head, **options)


def test_differences_are_paired_by_seed(compared: Compare) -> None:
    base = [cell("a", 0, 0.50), cell("a", 1, 0.70), cell("a", 2, 0.90)]
    head = [cell("a", 2, 0.92), cell("a", 0, 0.51), cell("a", 1, 0.73)]
    entry = entry_of(compared(base, head))
    # Differences 0.01, 0.03, 0.02: mean 0.02, deviation 0.01, t(2) = 4.302653.
    assert (entry.change, entry.counts, entry.method) == (pytest.approx(0.02), (3,), "paired")
    assert entry.interval is not None
    assert entry.interval.high - 0.02 == pytest.approx(4.302653 * 0.01 / math.sqrt(3))
    assert (entry.base, entry.head) == (pytest.approx(0.70), pytest.approx(0.72))
    # t = 0.02 / (0.01 / sqrt 3) = 3.4641 with two degrees of freedom: p = 1 - t / sqrt(2 + t^2)
    assert entry.p == pytest.approx(1 - 3.4641016 / math.sqrt(2 + 12), rel=1e-6)


def test_seeds_that_share_nothing_are_not_paired(compared: Compare) -> None:
    before, after = [0.50, 0.52, 0.57], [0.55, 0.56, 0.60, 0.61]
    head = [cell("a", 10 + seed, accuracy) for seed, accuracy in enumerate(after)]
    comparison = compared(cells("a", *before), head)
    entry = entry_of(comparison)
    oracle = stats.ttest_ind(after, before, equal_var=False)
    assert (entry.method, entry.counts) == ("unpaired", (3, 4))
    assert entry.p == pytest.approx(oracle.pvalue)
    assert entry.interval == pytest.approx(tuple(oracle.confidence_interval()))
    assert "n=3+4" in render(comparison)
    assert "no seed in common, so these are not paired (Welch's interval)" in render(comparison)


def test_one_shared_seed_is_enough_to_pair(compared: Compare) -> None:
    head = [cell("a", 2, 0.58), cell("a", 9, 0.9)]
    comparison = compared(cells("a", 0.50, 0.52, 0.57), head)
    entry = entry_of(comparison)
    assert (entry.counts, entry.base, entry.head, entry.left_out) == ((1,), 0.57, 0.58, 3)
    assert "Welch" not in render(comparison)


def test_replicates_are_not_paired_with_each_other(compared: Compare) -> None:
    comparison = compared([cell("a", 0, 0.5)], [cell("a", 0, 0.5, replicate=1)])
    assert entry_of(comparison).method == "unpaired"
    assert "one seed on a side gives no interval" in " ".join(render(comparison).split())


def test_a_cell_with_two_records_is_refused(compared: Compare) -> None:
    with pytest.raises(ResultsError, match="`a` has two records of seed 0"):
        compared([cell("a", 0, 0.5), cell("a", 0, 0.6)], [])


def test_p_is_adjusted_for_the_rows(compared: Compare) -> None:
    rows = {
        "a": ([0.50, 0.51, 0.52, 0.53], [0.52, 0.531, 0.539, 0.55]),
        "b": ([0.50, 0.51, 0.52, 0.53], [0.51, 0.51, 0.54, 0.53]),
        "c": ([0.50, 0.51, 0.52, 0.53], [0.505, 0.512, 0.525, 0.537]),
    }
    base, head = ([r for n, sides in rows.items() for r in cells(n, *sides[side])] for side in (0, 1))
    entries = column_of(compared(base, head)).entries
    alone = [stats.ttest_rel(after, before).pvalue for before, after in rows.values()]
    assert [entry.p_alone for entry in entries] == pytest.approx(alone)
    # Holm by hand: the smallest times three, the next times two, never below the one before
    low, middle, high = sorted(alone)
    by_hand = {low: 3 * low, middle: max(3 * low, 2 * middle), high: max(3 * low, 2 * middle, high)}
    assert [entry.p for entry in entries] == pytest.approx([by_hand[p] for p in alone])


def test_the_interval_of_all_rows_at_once_is_that_of_bonferroni(compared: Compare) -> None:
    base = [*cells("a", 0.50, 0.51, 0.52), *cells("b", 0.50, 0.51, 0.52)]
    head = [*cells("a", 0.51, 0.53, 0.55), *cells("b", 0.51, 0.50, 0.53)]
    entry = entry_of(compared(base, head))
    # differences of 0.01, 0.02, 0.03; two rows, so each at 97.5 %: t(2) = 6.205347
    assert entry.together is not None
    assert entry.together.high - 0.02 == pytest.approx(6.205347 * 0.01 / math.sqrt(3))


def test_networks_that_answer_alike_are_the_same_and_are_not_tested(compared: Compare) -> None:
    base = [*cells("a", 0.5, 0.6, 0.7), *cells("b", 0.50, 0.51, 0.52)]
    head = [*cells("a", 0.5, 0.6, 0.7), *cells("b", 0.51, 0.50, 0.53)]
    comparison = compared(base, head)
    same, other = column_of(comparison).entries
    assert (same.method, same.mark, same.p, same.interval) == ("identical", "=", None, (0, 0))
    assert other.p == other.p_alone
    assert "(identical n=3)" in render(comparison)


def test_equal_accuracies_of_other_answers_are_not_the_same(compared: Compare) -> None:
    bits = [np.arange(10_000) % 2 == parity for parity in (0, 1)]
    base, head = (cells("a", 0.5, 0.5, correct=pack_bits(side)) for side in bits)
    entry = entry_of(compared(base, head))
    assert entry.method == "paired"
    # known to half an image of 10,000 each: sqrt(2 / 12) / 10,000, two seeds, t(1) = 12.7062
    assert entry.interval is not None
    assert entry.interval.high == pytest.approx(12.7062047 * math.sqrt(1 / 6) / 10_000 / math.sqrt(2))


def test_two_seeds_of_few_images_that_differ_alike_are_no_proof(compared: Compare) -> None:
    # one image of 100 more in both seeds: without the least deviation, t would be infinite
    base, head = (cells("a", *values, test_images=100) for values in ([0.50, 0.60], [0.51, 0.61]))
    entry = entry_of(compared(base, head))
    assert entry.mark == "~"
    assert entry.p is not None
    assert entry.p > 0.05


def test_equivalence_is_tested_at_the_delta_of_the_base(compared: Compare) -> None:
    before = [0.500, 0.512, 0.521, 0.533, 0.540]
    after = [0.501, 0.511, 0.522, 0.533, 0.541]
    entry = entry_of(compared(cells("a", *before), cells("a", *after)))
    oracle = ttost_paired(np.array(after), np.array(before), -0.005, 0.005)[0]
    assert (entry.mark, entry.p_equivalence) == ("=", pytest.approx(oracle))
    smaller = entry_of(compared(cells("a", *before), cells("a", *after), delta=0.0005))
    assert smaller.mark == "~"
    oracle = ttost_paired(np.array(after), np.array(before), -0.0005, 0.0005)[0]
    assert smaller.p_equivalence == pytest.approx(oracle)


def test_without_delta_nothing_is_equivalent_and_the_table_says_so(tmp_path: Path) -> None:
    base = write_folder(tmp_path / "a", cells("a", 0.500, 0.512, 0.521), delta=None)
    head = write_folder(tmp_path / "b", cells("a", 0.501, 0.511, 0.522), delta=None)
    comparison = compare({"base": base, "head": head})
    assert entry_of(comparison).mark == "~"
    assert "no delta is declared" in render(comparison)


def test_a_planted_regression_of_one_point_is_found_and_planted_noise_is_not(compared: Compare) -> None:
    source = random.Random(7)  # noqa: S311 - noise of a test
    names = [f"v{number}" for number in range(4)]
    base = {name: [0.9 + source.gauss(0, 0.003) for _ in range(5)] for name in names}
    noise = {name: [value + source.gauss(0, 0.002) for value in values] for name, values in base.items()}
    worse = {**noise, "v2": [value - 0.01 for value in noise["v2"]]}
    records = [[r for n, values in side.items() for r in cells(n, *values)] for side in (base, noise, worse)]
    gate = [parse_gate("accuracy:-0.2pp")]
    quiet, planted = compared(records[0], records[1]), compared(records[0], records[2])
    assert {entry.mark for entry in column_of(quiet).entries} <= {"~", "="}
    assert exit_code(quiet, rule(quiet, gate, "regression"), strict=False) == 0
    assert [entry.mark for entry in column_of(planted).entries].count("worse") == 1
    assert entry_of(planted, "v2").mark == "worse"
    (ruling,) = rule(planted, gate, "regression")
    assert (ruling.status, ruling.rows) == ("fails", ("v2 (head)",))
    assert exit_code(planted, (ruling,), strict=False) == 1


def test_a_small_loss_of_all_rows_is_seen_in_their_mean(compared: Compare) -> None:
    source = random.Random(3)  # noqa: S311 - noise of a test
    names = [f"v{number}" for number in range(16)]
    base = {name: [0.9 + source.gauss(0, 0.003) for _ in range(3)] for name in names}
    head = {name: [v - 0.006 + source.gauss(0, 0.003) for v in values] for name, values in base.items()}
    sides = ([r for name, values in side.items() for r in cells(name, *values)] for side in (base, head))
    comparison = compared(*sides)
    column = column_of(comparison)
    assert column.summary is not None
    assert [entry.mark for entry in column.entries].count("worse") <= 1
    assert column.summary.mark == "worse"
    (ruling,) = rule(comparison, [parse_gate("accuracy:-0.2pp")], "regression")
    assert "mean of the rows (head)" in ruling.rows
    # the mean of a complete table is that of its rows
    assert column.summary.change == pytest.approx(np.mean([entry.change for entry in column.entries]))
    per_seed = [np.mean([head[n][seed] - base[n][seed] for n in names]) for seed in range(3)]
    assert column.summary.p == pytest.approx(stats.ttest_1samp(per_seed, 0).pvalue)


def test_the_mean_is_over_the_seeds_that_all_rows_have(compared: Compare) -> None:
    base = [*cells("a", 0.5, 0.6, 0.7), *cells("b", 0.5, 0.6, None)]
    head = [*cells("a", 0.51, 0.62, 0.99), *cells("b", 0.51, 0.62, 0.9)]
    summary = column_of(compared(base, head)).summary
    assert summary is not None
    assert (summary.counts, summary.change) == ((2,), pytest.approx(0.015))


def test_one_seed_with_answers_is_judged_as_two_fixed_networks(compared: Compare) -> None:
    # of 10,000 images the first is right in 30 where the second is wrong, and the other way round in 10
    first, second = np.zeros(10_000, dtype=bool), np.zeros(10_000, dtype=bool)
    first[:30] = second[30:40] = True
    base, head = ([cell("a", 0, float(side.mean()), correct=pack_bits(side))] for side in (first, second))
    comparison = compared(base, head)
    entry = entry_of(comparison)
    assert (entry.method, entry.interval, entry.mark) == ("fixed networks", None, "")
    assert entry.p == pytest.approx(stats.binomtest(10, 40, 0.5).pvalue)
    shown = " ".join(render(comparison).split())
    assert "-0.20 (McNemar p=0.002 n=1)" in shown
    assert "it ignores the noise of training" in shown


def test_one_seed_without_answers_says_nothing_of_chance(compared: Compare) -> None:
    comparison = compared([cell("a", 0, 0.5, test_images=0)], [cell("a", 0, 0.6, test_images=0)])
    assert "+10.00 (n=1)" in render(comparison)
    assert entry_of(comparison).p is None
    assert "n=1: one seed gives no interval" in render(comparison)


def test_rows_of_one_side_are_marked(compared: Compare) -> None:
    comparison = compared(
        [cell("a", 0, 0.5), cell("gone", 0, 0.5)], [cell("a", 0, 0.5), cell("fresh", 0, 0.5)]
    )
    table = table_of(comparison, "accuracy")
    assert table.variants == ("a", "gone", "fresh")
    assert [entry.state for entry in table.columns[0].entries] == ["both", "missing", "new"]


@pytest.mark.parametrize(
    ("base", "head", "failure", "state"),
    [
        ((0.5, 0.6), (0.5, None), "!", "both"),
        ((0.5, 0.6), (None, None), "!", "failed"),
        ((0.5, None), (0.5, 0.6), "*", "both"),
        ((None, None), (0.5, 0.6), "*", "failed"),
        ((0.5, None), (0.5, None), "", "both"),
    ],
)
def test_new_failures_and_mended_ones_are_marked(
    compared: Compare, base: Any, head: Any, failure: str, state: str
) -> None:
    comparison = compared(cells("a", *base), cells("a", *head))
    entry = entry_of(comparison)
    assert (entry.failure, entry.state) == (failure, state)
    legend = {"!": "`!` fails in the head alone", "*": "`*` fails in the base alone"}
    assert [text for text in legend.values() if text in render(comparison)] == [
        text for mark, text in legend.items() if mark == failure
    ]


def test_the_reason_of_a_failure_is_its_first_line(compared: Compare) -> None:
    shown = render(compared(cells("a", 0.5), cells("a", None)))
    assert "`a` (head): RuntimeError: planted." in shown
    assert "more lines" not in shown


def test_a_pruned_cell_is_no_failure(compared: Compare) -> None:
    head = [cell("a", 0, 0.5), cell("a", 1, None, status="pruned")]
    assert entry_of(compared(cells("a", 0.5, 0.6), head)).failure == ""


@pytest.mark.parametrize("change", [{"digest": "other"}, {"test_images": 7, "correct": "/g=="}])
def test_accuracies_on_other_images_are_not_compared(compared: Compare, change: dict[str, Any]) -> None:
    comparison = compared([cell("a", 0, 0.5)], [cell("a", 0, 0.9, **change)])
    assert (entry_of(comparison).mark, comparison.is_comparable) == ("x", False)
    assert exit_code(comparison, (), strict=False) == 3
    assert "the data of base and head differ (digest or number of test images)" in render(comparison)
    assert "`x` not comparable" in render(comparison)


def test_data_that_differ_in_part_are_compared_in_part(compared: Compare) -> None:
    comparison = compared(
        [cell("a", 0, 0.5), cell("b", 0, 0.5, digest="x")], [cell("a", 0, 0.5), cell("b", 0, 0.5, digest="y")]
    )
    assert [entry.mark for entry in column_of(comparison).entries] == ["=", "x"]
    assert comparison.is_comparable
    assert "some data of base and head differ" in render(comparison)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("torch", ("2.14.1", "3.0"), "several versions of torch (base: 2.14.1; head: 3.0)"),
        ("device", ("cpu", "H200"), "several devices (base: cpu; head: H200)"),
        ("threads", (1, 2), "several numbers of threads (base: 1; head: 2)"),
    ],
)
def test_accuracies_of_other_machines_are_compared_with_a_note(
    compared: Compare, name: str, values: tuple[object, object], said: str
) -> None:
    base, head = ([cell("a", 0, 0.5, provenance={"data_digest": "d", name: value})] for value in values)
    comparison = compared(base, head)
    assert comparison.is_comparable
    assert f"note: {said}: differences may come from that in part." in " ".join(render(comparison).split())
    assert "several" not in render(compared(base, base))


def test_labels_name_the_tables_and_the_first_is_the_base(tmp_path: Path) -> None:
    sides = parse_sides([f"old={tmp_path}", f"new={tmp_path}", f"newest={tmp_path}"])
    assert list(sides) == ["old", "new", "newest"]
    assert list(parse_sides(["a", "b"])) == ["base", "head"]
    assert list(parse_sides(["a", "b", "c"])) == ["base", "head 1", "head 2"]


def test_a_folder_with_an_equals_sign_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lr=3").mkdir()
    assert parse_sides(["lr=3", "runs/lr=4"]) == {"base": Path("lr=3"), "head": Path("runs/lr=4")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a=x", "a=y"], "must have different labels, but 'a' stands for several"),
        (["=x", "y"], "must be given as PATH or LABEL=PATH, but got '=x'"),
        (["a=", "y"], "but got 'a='"),
    ],
)
def test_labels_that_say_nothing_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        parse_sides(arguments)


def test_several_heads_are_each_compared_with_the_base(tmp_path: Path) -> None:
    tables = {"base": (0.50, 0.60), "b": (0.51, 0.62), "c": (0.48, 0.58)}
    folders = {name: write_folder(tmp_path / name, cells("a", *values)) for name, values in tables.items()}
    columns = table_of(compare(folders), "accuracy").columns
    assert [column.head for column in columns] == ["b", "c"]
    assert [column.entries[0].change for column in columns] == pytest.approx([0.015, -0.02])


ACCURACIES = st.lists(st.integers(0, 10_000).map(lambda n: n / 10_000), min_size=3, max_size=3)
TABLE = st.dictionaries(st.sampled_from("abcd"), st.tuples(ACCURACIES, ACCURACIES), min_size=1)


def _sides(table: dict[str, tuple[list[float], list[float]]]) -> tuple[list[Record], list[Record]]:
    base, head = (
        [record for name, sides in table.items() for record in cells(name, *sides[side])] for side in (0, 1)
    )
    return base, head


@given(TABLE)
def test_swapping_base_and_head_flips_the_signs(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, tuple[list[float], list[float]]]
) -> None:
    base, head = _sides(table)
    folder = tmp_path_factory.mktemp("swapped")
    there, back = compare_records(folder, base, head), compare_records(folder, head, base)
    flipped = {"better": "worse", "worse": "better"}
    for one, other in zip(column_of(there).entries, column_of(back).entries, strict=True):
        assert one.change == -other.change
        assert (one.interval.low, one.interval.high) == pytest.approx(
            (-other.interval.high, -other.interval.low)
        )
        assert one.mark == flipped.get(other.mark, other.mark)
        assert one.p == other.p


@given(TABLE)
def test_a_table_against_itself_differs_in_nothing_and_passes_every_gate(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, tuple[list[float], list[float]]]
) -> None:
    base, _ = _sides(table)
    comparison = compare_records(tmp_path_factory.mktemp("same"), base, base)
    assert {entry.mark for t in comparison.tables for _, _, entry in t.entries()} == {"="}
    gates = [parse_gate(text) for text in ("accuracy:0", "params:0", "macs:0%", "accuracy:-1pp")]
    for mode in ("regression", "noninferiority"):
        rulings = rule(comparison, gates, mode)
        assert {ruling.status for ruling in rulings} == {"holds"}
        assert exit_code(comparison, rulings, strict=True) == 0


@given(TABLE)
def test_adjusted_p_values_are_in_the_order_of_the_others_and_never_smaller(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, tuple[list[float], list[float]]]
) -> None:
    entries = column_of(compare_records(tmp_path_factory.mktemp("holm"), *_sides(table))).entries
    tested = sorted((entry.p_alone, entry.p) for entry in entries if entry.p is not None)
    assert all(adjusted >= alone for alone, adjusted in tested)
    assert [adjusted for _, adjusted in tested] == sorted(adjusted for _, adjusted in tested)


def test_a_real_folder_is_compared_by_its_records(small_results: Path) -> None:
    comparison = compare({"base": small_results, "head": small_results})
    assert (len(table_of(comparison, "accuracy").variants), comparison.is_comparable) == (6, True)


def test_a_folder_without_records_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="Run `msanet-bench sweep` first"):
        compare({"base": tmp_path, "head": tmp_path})


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "a", cells("a", 0.5))
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(ResultsError, match=r"manifest\.json: not a manifest"):
        compare({"base": folder, "head": folder})

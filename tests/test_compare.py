"""Two result tables side by side, with differences worked out by hand."""

import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from msanet_bench.compare import Comparison, compare, render_text
from msanet_bench.errors import ResultsError
from msanet_bench.records import Record, write_records
from msanet_bench.units import Measure

Compare = Callable[[list[Record], list[Record]], Comparison]


def cell(
    variant: str,
    seed: int,
    accuracy: float | None,
    *,
    params: int = 100,
    digest: str = "d",
    **changes: object,
) -> Record:
    measures = {
        "accuracy": Measure(accuracy, "fraction", "higher"),
        "params": Measure(params, "count", "lower"),
        "macs": Measure(10 * params, "count", "lower"),
    }
    fields = {
        "key": f"{variant}{seed}",
        "variant": variant,
        "factors": {},
        "seed": seed,
        "replicate": 0,
        "status": "ok" if accuracy is not None else "failed",
        "measures": measures if accuracy is not None else {},
        "provenance": {"data_digest": digest},
    }
    return Record(**{**fields, **changes})


@pytest.fixture
def compared(tmp_path: Path) -> Compare:
    """Compare two lists of records."""

    def make(base: list[Record], head: list[Record]) -> Comparison:
        write_records(tmp_path / "base.jsonl", base)
        write_records(tmp_path / "head.jsonl", head)
        return compare(tmp_path / "base.jsonl", tmp_path / "head.jsonl")

    return make


def text(comparison: Comparison, width: int = 120) -> str:
    return render_text(comparison, width)


def test_differences_are_paired_by_seed(compared: Compare) -> None:
    base = [cell("a", 0, 0.50), cell("a", 1, 0.70), cell("a", 2, 0.90)]
    head = [cell("a", 2, 0.92), cell("a", 0, 0.51), cell("a", 1, 0.73)]
    (row,) = compared(base, head).rows
    # Differences 0.01, 0.03, 0.02: mean 0.02, deviation 0.01, t(2) = 4.302653.
    assert row.difference is not None
    assert row.difference.mean == pytest.approx(0.02)
    assert row.difference.high - row.difference.mean == pytest.approx(4.302653 * 0.01 / math.sqrt(3))
    assert (row.base, row.head) == (pytest.approx(0.70), pytest.approx(0.72))


def test_a_difference_that_may_be_none_is_marked(compared: Compare) -> None:
    base = [cell("a", 0, 0.50), cell("a", 1, 0.70), cell("b", 0, 0.5), cell("b", 1, 0.5)]
    head = [cell("a", 0, 0.52), cell("a", 1, 0.69), cell("b", 0, 0.61), cell("b", 1, 0.60)]
    a, b = (line for line in text(compared(base, head)).splitlines() if line[:2] in {"a ", "b "})
    assert re.search(r"\+0\.50 \[-18\.56, \+19\.56\]  ~  n=2", a)
    assert "~" not in b


def test_equal_tables_differ_by_zero(compared: Compare) -> None:
    records = [cell("a", 0, 0.5), cell("a", 1, 0.7)]
    assert "+0.00 [+0.00, +0.00]  ~  n=2" in text(compared(records, records))


def test_one_pair_has_no_interval(compared: Compare) -> None:
    shown = text(compared([cell("a", 0, 0.5)], [cell("a", 0, 0.6)]))
    assert re.search(r"\+10\.00 +n=1", shown)
    assert "note: n=1: one pair gives no interval" in shown


def test_a_seed_without_partner_is_left_out_and_said(compared: Compare) -> None:
    base = [cell("a", 0, 0.5), cell("a", 1, 0.6), cell("a", 2, 0.1)]
    head = [cell("a", 0, 0.5), cell("a", 1, 0.6), cell("a", 2, None)]
    comparison = compared(base, head)
    assert (comparison.rows[0].unpaired, comparison.rows[0].base) == (1, pytest.approx(0.55))
    assert "note: a: 1 of its results have no partner and are left out." in text(comparison)


def test_replicates_are_not_paired_with_each_other(compared: Compare) -> None:
    comparison = compared([cell("a", 0, 0.5)], [cell("a", 0, 0.5, replicate=1)])
    assert comparison.rows[0].difference is None


def test_rows_of_one_side_are_marked(compared: Compare) -> None:
    comparison = compared(
        [cell("a", 0, 0.5), cell("gone", 0, 0.5)], [cell("a", 0, 0.5), cell("fresh", 0, 0.5)]
    )
    assert [(row.variant, row.state) for row in comparison.rows] == [
        ("a", "both"),
        ("gone", "missing"),
        ("fresh", "new"),
    ]
    lines = text(comparison).splitlines()
    assert any(re.match(r"gone +50\.00 +- +missing", line) for line in lines)
    assert any(re.match(r"fresh +- +50\.00 +new", line) for line in lines)


@pytest.mark.parametrize("change", [{"digest": "other"}, {"test_images": 7, "correct": "/g=="}])
def test_accuracies_on_other_images_are_not_compared(compared: Compare, change: dict[str, Any]) -> None:
    comparison = compared([cell("a", 0, 0.5)], [cell("a", 0, 0.9, **change)])
    assert not comparison.is_comparable
    assert comparison.rows[0].difference is None
    assert "the data differ (digest or number of test images), so no accuracies are compared" in text(
        comparison
    )


def test_accuracies_on_the_same_images_are_compared(compared: Compare) -> None:
    assert compared([cell("a", 0, 0.5)], [cell("a", 0, 0.9)]).is_comparable


def test_data_that_differ_in_part_are_compared_in_part(compared: Compare) -> None:
    comparison = compared(
        [cell("a", 0, 0.5), cell("b", 0, 0.5, digest="x")], [cell("a", 0, 0.5), cell("b", 0, 0.5, digest="y")]
    )
    assert [row.difference is not None for row in comparison.rows] == [True, False]
    assert "some data differ" in text(comparison)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("torch", ("2.14.1", "3.0"), "several versions of torch (base: 2.14.1; head: 3.0)"),
        ("device", ("cpu", "H200"), "several devices (base: cpu; head: H200)"),
        ("threads", (1, 2), "several numbers of threads (base: 1; head: 2)"),
    ],
)
def test_results_of_other_machines_are_compared_with_a_note(
    compared: Compare, name: str, values: tuple[object, object], said: str
) -> None:
    base, head = ([cell("a", 0, 0.5, provenance={"data_digest": "d", name: value})] for value in values)
    comparison = compared(base, head)
    assert comparison.is_comparable
    assert f"note: {said}: differences may come from that in part." in text(comparison)
    assert "several" not in text(compared(base, base))


def test_results_of_several_machines_within_one_side_are_noted(compared: Compare) -> None:
    mixed = [cell("a", seed, 0.5, provenance={"threads": seed + 1}) for seed in (0, 1)]
    assert "several numbers of threads (base: 1, 2; head: 1, 2)" in text(compared(mixed, mixed))


@pytest.mark.parametrize(
    ("base", "head", "shown"),
    [(200, 200, "="), (200, 150, "x0.750"), (1_000_000, 1_000_012, "+12"), (0, 5, "-")],
)
def test_counts_are_compared_exactly(compared: Compare, base: int, head: int, shown: str) -> None:
    line = text(compared([cell("a", 0, 0.5, params=base)], [cell("a", 0, 0.5, params=head)])).splitlines()[4]
    assert line.split()[-2] == shown


def test_a_count_that_differs_between_seeds_is_not_shown(compared: Compare) -> None:
    base = [cell("a", 0, 0.5, params=1), cell("a", 1, 0.5, params=2)]
    assert text(compared(base, base)).splitlines()[4].split()[-2:] == ["-", "-"]


LONG = "branches.conv3=off,branches.conv5=off,attention=none"


def test_columns_stay_aligned_and_long_names_go_on_below(compared: Compare) -> None:
    records = [cell(name, seed, 0.5) for name in ("baseline", LONG) for seed in (0, 1)]
    lines = text(compared(records, records), width=90).split("\n\n")[1].splitlines()
    assert all(len(line) <= 90 for line in lines)
    name = "".join(line.split()[0] for line in lines[2:])
    assert name == LONG
    assert lines[1].index("n=2") == lines[2].index("n=2")


def test_a_wide_terminal_keeps_a_name_on_one_line(compared: Compare) -> None:
    shown = text(compared([cell(LONG, 0, 0.5)], [cell(LONG, 0, 0.5)]), width=200)
    assert LONG in shown


def test_the_text_is_ascii_and_ends_in_a_newline(compared: Compare) -> None:
    shown = text(compared([cell("a", 0, 0.5)], [cell("a", 0, 0.5)]))
    assert shown.isascii()
    assert shown.endswith("\n")


def test_folders_are_compared_by_their_records(small_results: Path) -> None:
    comparison = compare(small_results, small_results)
    assert (len(comparison.rows), comparison.is_comparable) == (6, True)


def test_a_folder_without_records_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="Run `msanet-bench sweep` first"):
        compare(tmp_path, tmp_path)


def imported(statement: str) -> set[str]:
    heavy = ("torch", "optuna", "pandas", "scipy.stats", "matplotlib", "pydantic")
    code = f"import sys\n{statement}\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path.cwd()
    )
    return set(re.findall(r"'([\w.]+)'", done.stdout))


def test_comparing_loads_nothing_heavy() -> None:
    assert imported("import msanet_bench.compare") == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert imported("import msanet_bench.compare, scipy.stats") == {"scipy.stats"}

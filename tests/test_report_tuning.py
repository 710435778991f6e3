"""What the report says of tuning: tuned beside untuned, with numbers worked out from the planted formula."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from msanet_bench.cell import Job
from msanet_bench.errors import ResultsError
from msanet_bench.records import Status
from msanet_bench.report.build import build_report, report_files, write_report
from msanet_bench.report.tuning import TunedVariant, Tuning, gains
from report_text import plain, report, section, tables
from tuning import TUNED, Formula, formula, on_test, tuned, validation

__all__ = ["formula"]

NAMES = {"baseline": "self_attention", "attention=none": "none", "attention=se": "se"}


@pytest.fixture
def results(formula: Formula, tmp_path: Path) -> Path:
    tuned(tmp_path)
    formula.jobs = []
    return tmp_path / "results"


def lrs(results: Path) -> Iterator[tuple[str, float]]:
    found = json.loads((results / "manifest.json").read_text())["tuning"]
    for outcome in found["outcomes"]:
        yield outcome["variant"], found["candidates"][outcome["chosen"]]["train.lr"]


def mean_on_test(attention: str, lr: float) -> float:
    return fmean(on_test(attention, lr, seed) for seed in (0, 1))


def test_a_row_a_variant_says_what_was_chosen_and_what_it_changed(results: Path) -> None:
    shown = tables(section(report(results), "Tuning"))[0]
    for row, (name, lr) in zip(shown, lrs(results), strict=True):
        attention = NAMES[name]
        untuned, own = mean_on_test(attention, 1e-3), mean_on_test(attention, lr)
        assert plain(row[0]) == name
        assert float(row[1]) == lr
        assert row[2] == f"{100 * validation(attention, 1e-3):.2f}"
        assert row[3] == f"{100 * validation(attention, lr):.2f}"
        assert row[4] == f"{100 * untuned:.2f} (2)"
        assert row[5] == f"{100 * own:.2f} (2)"
        if name == "baseline":
            assert row[6] == "the same runs"
        else:
            assert row[6].startswith(f"{100 * (own - untuned):+.2f} [")


def test_the_effects_stand_tuned_and_untuned(results: Path) -> None:
    shown = tables(section(report(results), "Tuning"))[1]
    given = dict(lrs(results))
    names = {"none": "attention=none", "se": "attention=se", "self_attention": "baseline"}
    assert len(shown) == 2
    for row in shown:
        level, reference = plain(row[1]), plain(row[2])
        after = mean_on_test(level, given[names[level]]) - mean_on_test(reference, given[names[reference]])
        before = mean_on_test(level, 1e-3) - mean_on_test(reference, 1e-3)
        assert float(row[3]) == pytest.approx(100 * after, abs=0.006)
        assert float(row[6]) == pytest.approx(100 * before, abs=0.006)
    main = tables(section(report(results), "Effects"))[0]
    assert [row[4] for row in main] == [row[3] for row in shown]


def test_it_says_how_with_which_budget_and_what_that_is_worth(results: Path) -> None:
    text = report(results)
    said = section(text, "Tuning")
    for part in (
        "Tuned was `train.lr` (1e-05 to 0.1, log).",
        "once with each of the same 8 candidates",
        "with training seed 1000, which no tested run has",
        "the best of 8, so it is too high on average",
    ):
        assert part in said, part
    assert "tuned with the same budget: `train.lr`, 8 candidates each" in section(text, "Conclusion")
    assert "trained with the `train.lr` that tuning chose for it" in section(text, "What was run")
    threats = section(text, "Threats to validity")
    assert "only `train.lr` was tuned, by one run for each of 8 candidates" in threats
    assert "tuned for none" not in threats
    assert "No training recipe was tuned" not in threats


def test_results_without_tuning_have_no_such_section(small_results: Path) -> None:
    files = report_files(build_report(small_results))
    assert "## Tuning" not in files["report.md"]
    assert "tuning" not in json.loads(files["report.json"])
    assert "tuned for none of them" in files["report.md"]


def test_the_numbers_are_there_unrounded(results: Path, tmp_path: Path) -> None:
    write_report(build_report(results), tmp_path / "report")
    numbers = json.loads((tmp_path / "report" / "report.json").read_text())
    assert numbers["tuning"]["seed"] == 1000
    assert len(numbers["tuning_candidates"]) == 24
    given = dict(lrs(results))
    for row in numbers["tuning_candidates"]:
        expected = validation(NAMES[row["variant"]], row["train.lr"])
        assert row["validation_accuracy"] == pytest.approx(expected)
        assert row["chosen"] == (row["train.lr"] == given[row["variant"]])
    with (tmp_path / "report" / "tables" / "tuned.csv").open() as file:
        for row in csv.DictReader(file):
            attention = NAMES[row["variant"]]
            own, untuned = mean_on_test(attention, given[row["variant"]]), mean_on_test(attention, 1e-3)
            assert float(row["tuned"]) == pytest.approx(own)
            assert float(row["untuned"]) == pytest.approx(untuned)
            assert float(row["difference_mean"]) == pytest.approx(own - untuned, abs=1e-9)
    with (tmp_path / "report" / "tables" / "tuning.csv").open() as file:
        assert [row["chosen"] for row in csv.DictReader(file)].count("yes") == 3


@pytest.mark.usefixtures("formula")
def test_what_is_not_decided_is_said_and_not_compared(tmp_path: Path) -> None:
    tuned(tmp_path, variants="baseline,attention=none")
    text = report(tmp_path / "results")
    assert "Not decided yet, and so as in the file in all other sections: `attention=se`." in text
    assert "For 1 variant that has not ended" in section(text, "Conclusion")
    assert "Tuning has not ended for 1 of 3 variants" in section(text, "Threats to validity")
    row = tables(section(text, "Tuning"))[0][2]
    assert row[1:] == ["-", "missing", "-", "-", "-", "-"]


def test_lost_candidates_and_ends_of_the_range_are_said(formula: Formula, tmp_path: Path) -> None:
    def status(job: Job) -> Status:
        if job.is_tested:
            return "ok"
        if job.variant == "attention=se":
            return "failed"
        return "diverged" if job.settings.train.lr > 1e-3 else "ok"

    formula.status = status
    tuned(tmp_path, TUNED.replace("[1.0e-5, 1.0e-1, log]", "[1.0e-3, 1.0e-1, log]"))
    found: dict[str, Any] = json.loads((tmp_path / "results" / "manifest.json").read_text())["tuning"]
    above = sum(candidate["train.lr"] > 1e-3 for candidate in found["candidates"])
    said = section(report(tmp_path / "results"), "Tuning")
    assert f"{2 * above} candidates of 24 ended as diverged and could not be chosen." in said
    assert "8 candidates of 24 ended as failed" in said
    assert "`attention=se`: no candidate gave numbers, so it stays as in the file." in said
    assert "The least or the greatest `train.lr` that was tried is what was chosen for `baseline`" in said


@pytest.mark.usefixtures("formula")
def test_variants_of_a_list_stand_beside_the_baseline(tmp_path: Path) -> None:
    listed = TUNED.replace("design: one_at_a_time", "design: list").replace(
        "factors:\n  attention: [self_attention, none, se]", "variants: [{attention: none}, {attention: se}]"
    )
    tuned(tmp_path, listed)
    shown = tables(section(report(tmp_path / "results"), "Tuning"))[1]
    assert [plain(row[0]) for row in shown] == ["attention=none", "attention=se"]
    given = dict(lrs(tmp_path / "results"))
    for row in shown:
        name = plain(row[0])
        after = mean_on_test(NAMES[name], given[name]) - mean_on_test("self_attention", given["baseline"])
        assert float(row[1]) == pytest.approx(100 * after, abs=0.006)


def test_a_gain_that_is_equal_in_all_seeds_is_known_to_half_an_image_and_that_of_the_same_runs_exactly() -> (
    None
):
    plan = tuple(
        TunedVariant(name, (0.5, 0.6), ("ok", "ok"), chosen) for name, chosen in (("a", 1), ("b", 0))
    )
    tuning = Tuning({"train.lr": "1e-4 to 1e-2"}, 0, 9, ({}, {"train.lr": 0.01}), plan, {})
    before, after = {0: 0.25, 1: 0.5, 2: 0.75}, {0: 0.375, 1: 0.625, 2: 0.875}
    changed, same = gains(tuning, {"a": after, "b": before}, {"a": before, "b": before}, least_variance=1e-6)
    assert changed.difference is not None
    # of two accuracies: t of two degrees of freedom times sqrt(2e-6 / 3)
    assert changed.difference.high - 0.125 == pytest.approx(4.302653 * (2e-6 / 3) ** 0.5, rel=1e-6)
    assert same.difference is not None
    assert (same.difference.low, same.difference.high) == (0, 0)


def test_a_message_about_untuned_records_names_their_file(results: Path) -> None:
    file = results / "untuned.jsonl"
    file.write_text(file.read_text() + file.read_text().splitlines()[0] + "\n")
    with pytest.raises(ResultsError, match=r"untuned\.jsonl: `.*` has two records of seed "):
        report(results)

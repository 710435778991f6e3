"""Plans that change after results are there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from commands import run_verb
from experiments import write_experiment
from msanet_bench.errors import BenchError
from msanet_bench.events import Ended, Started
from msanet_bench.journal import Journal
from msanet_bench.records import read_records
from msanet_bench.sweep import parse_other_code
from report_text import report
from sweeps import copied, ended, notes, quiet, sweep, trained

__all__ = ["quiet"]


def manifest(results: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads((results / "manifest.json").read_text())
    return fields


def give_other_code(results: Path, cells: int) -> None:
    """The first cells of the journal look as if another version of this program had trained them."""
    journal = results / "journal.jsonl"
    journal.write_text(re.sub(r'"code":"[^"]*"', '"code":"0ther"', journal.read_text(), count=cells))


def codes(results: Path) -> list[str]:
    return ["other" if r.provenance["code"] == "0ther" else "today" for r in read_records(results)]


def test_more_seeds_for_two_of_three_variants_train_only_those_and_are_told(
    quiet: Path, tmp_path: Path
) -> None:
    path, results = copied(quiet, tmp_path)
    asked = {"variants": "attention=none,baseline", "add_seeds": 2}
    assert len(trained(sweep(path, results, **asked))) == 4
    added = [(r.variant, r.seed) for r in read_records(results)][6:]
    assert added == [("baseline", 2), ("attention=none", 2), ("baseline", 3), ("attention=none", 3)]
    before = manifest(results)
    assert before["looks"] == [[0, 1], [0, 1, 2, 3]]
    assert before["added_seeds"] == {"attention=none": 2, "baseline": 2}
    (amendment,) = before["amendments"]
    assert amendment["cells"] == {"kept": 6, "new": 4, "orphaned": 0}
    # the same command again adds nothing, nor does one without the options, and both remember
    for again in (asked, {}):
        assert trained(sweep(path, results, **again)) == []
        assert manifest(results) == before
    text = report(results)
    assert "`added seeds of baseline` from nothing to `2`" in text
    assert "10 cells: 10 ok" in text


def test_only_the_chosen_variants_are_trained_and_the_rest_is_missing(tmp_path: Path) -> None:
    path, results = write_experiment(tmp_path), tmp_path / "results"
    events = sweep(path, results, variants="attention=none")
    assert len(trained(events)) == 2
    assert isinstance(events[0], Started)
    assert (events[0].cells, events[0].done) == (6, 0)
    assert ended(events) == Ended(6, not_ok=0, left=4, unchosen=4)
    assert [r.variant for r in read_records(results)] == ["attention=none"] * 2
    assert len(trained(sweep(path, results))) == 4


def test_a_variant_that_is_not_there_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"no variant 'attention=non'\. Did you mean 'attention=none'"):
        sweep(write_experiment(tmp_path), tmp_path / "results", variants="baseline,attention=non")
    assert not (tmp_path / "results" / "manifest.json").exists()


def test_cells_of_other_code_stop_the_sweep_until_somebody_decides(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    give_other_code(results, 2)
    before = {
        file.name: file.read_bytes() for file in results.iterdir() if file.is_file() and file.name != "lock"
    }
    with pytest.raises(BenchError, match=r"2 finished cells were trained by other code .* --accept-code"):
        sweep(path, results)
    assert before == {
        file.name: file.read_bytes() for file in results.iterdir() if file.is_file() and file.name != "lock"
    }


def test_accepted_code_stays_is_told_and_is_not_asked_about_again(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    give_other_code(results, 2)
    events = sweep(path, results, other_code="accept")
    assert trained(events) == []
    assert any(note.startswith("2 finished cells had another code than now (") for note in notes(events))
    assert sorted(codes(results)) == ["other"] * 2 + ["today"] * 4
    assert trained(sweep(path, results)) == []
    (amendment,) = manifest(results)["amendments"]
    assert amendment["other_code"] == "accepted"


def test_changed_code_trains_its_cells_again_and_the_new_records_count(quiet: Path, tmp_path: Path) -> None:
    path, results = copied(quiet, tmp_path)
    give_other_code(results, 2)
    changed = [attempt.record.key for attempt in Journal(results / "journal.jsonl").read()[:2]]
    assert sorted(trained(sweep(path, results, other_code="train again"))) == sorted(changed)
    assert codes(results) == ["today"] * 6
    assert len(Journal(results / "journal.jsonl").read()) == 8
    assert (results / "records.jsonl").read_bytes() == (quiet / "results" / "records.jsonl").read_bytes()
    assert trained(sweep(path, results)) == []


def test_the_report_tells_what_was_changed_after_results(quiet: Path, tmp_path: Path) -> None:
    _, results = copied(quiet, tmp_path)
    sweep(write_experiment(tmp_path, delta="delta: 1 pp", seeds="seeds: 3"), results)
    text = report(results)
    assert "The plan was changed once after results could be seen" in text
    assert "`delta` from `5 pp` to `1 pp`" in text
    assert "2 looks at the results (2 seeds, then 3 seeds)" in text


def test_both_decisions_at_once_are_refused() -> None:
    with pytest.raises(BenchError, match="must not be given together"):
        parse_other_code(accept=True, rerun=True)
    assert parse_other_code(accept=False, rerun=False) is None


def test_plan_knows_added_seeds_and_tells_what_an_edited_file_leaves_behind(
    quiet: Path, tmp_path: Path
) -> None:
    path, results = copied(quiet, tmp_path)
    sweep(path, results, variants="baseline", add_seeds=1)
    write_experiment(tmp_path, seeds="seeds: 1")
    shown = run_verb("plan", path.name, "--results", "results", "--no-duration", cwd=tmp_path).out
    # seed 1 left the file and is the added seed of the baseline now
    assert "3 variants, 4 cells: 4 done, 0 to train." in shown
    assert "note: 3 cells of the journal are not in this plan: kept there, not in the tables." in shown

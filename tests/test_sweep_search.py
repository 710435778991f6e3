"""Searches with real cells: what a kill leaves, what is stopped early, and what the report says of it."""

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from experiments import write_experiment
from msanet_bench.errors import BenchError
from msanet_bench.records import Record, read_records
from msanet_bench.search import storage_url
from report_text import plain, report, rows, section, tables
from sweeps import sweep, trained
from torture import Strike, Sweeps

SEARCH = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data:
  dataset: fake
  options: {classes: 3, channels: 1, size: 8, images: 60, test_images: 24}
  validation: 0.3
train: {epochs: 4, batch_size: 16, lr: 1e-2}
design: tpe
search: {trials: 6, batch: 3, pruner: {name: successive_halving, factor: 2}}
factors:
  train.lr: [1e-4, 1e-1, log]
  attention: [self_attention, none, se]
  attention.reduction: {levels: [2, 4], when: {attention: se}}
constraints: [params <= 20k]
seeds: 2
measure: {latency_rounds: 0}
"""
SAME = ("records.jsonl", "trials.jsonl", "manifest.json", "results.csv", "profile.json")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    sweep(write_experiment(folder, SEARCH), folder / "results")
    return folder


def manifest(results: Path) -> dict[str, list[dict[str, Any]]]:
    content: dict[str, list[dict[str, Any]]] = json.loads((results / "manifest.json").read_text())
    return content


def test_a_search_trains_the_baseline_and_its_trials_and_keeps_what_it_asked(quiet: Path) -> None:
    results = quiet / "results"
    trials = manifest(results)["trials"]
    lines = [json.loads(line) for line in (results / "trials.jsonl").read_text().splitlines()]
    assert [trial["number"] for trial in trials] == [line["number"] for line in lines] == [*range(len(lines))]
    assert trials[0]["variant"] == "baseline"
    kept = [trial for trial in trials if trial["state"] in {"complete", "pruned"}]
    assert len(kept) == 7
    assert {record.variant for record in read_records(results)} == {trial["variant"] for trial in kept}


def test_a_stopped_cell_says_why_has_its_curve_and_saved_the_other_seed(quiet: Path) -> None:
    records = read_records(quiet / "results")
    stopped = [record for record in records if record.status == "pruned"]
    assert stopped
    for record in stopped:
        told = re.fullmatch(r"validation accuracy (.*) after epoch (\d) is below (.*)", record.reason)
        assert told is not None
        assert len(record.curve) == int(told[2]) < 4
        assert record.curve[-1]["validation_accuracy"] == pytest.approx(float(told[1]), abs=1e-4)
        assert float(told[1]) < float(told[3])
        assert not record.measures
        assert not record.correct
    for trial in manifest(quiet / "results")["trials"]:
        own = [record for record in records if record.variant == trial["variant"]]
        if trial["state"] == "pruned":
            assert [record.status for record in own] in (["pruned"], ["ok", "pruned"])


def test_optuna_shows_every_trial_with_its_values_limits_and_curve(quiet: Path) -> None:
    url = storage_url(quiet / "results")
    (name,) = optuna.get_all_study_names(url)
    told = {t.user_attrs["trial"]: t for t in optuna.load_study(study_name=name, storage=url).trials}
    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "rejected": TrialState.PRUNED}
    records = read_records(quiet / "results")
    for trial in manifest(quiet / "results")["trials"]:
        if trial["state"] == "repeated":
            continue
        shown = told[trial["number"]]
        assert shown.state == states[trial["state"]]
        own = [record for record in records if record.variant == trial["variant"]]
        if trial["state"] == "complete":
            assert shown.value == pytest.approx(fmean(last_accuracy(record) for record in own))
        params = trial["costs"]["params"]
        assert shown.constraints == {"params <= 20000": pytest.approx((params - 20000) / 20000)}
        assert shown.user_attrs["constraint.params <= 20000"] == shown.constraints["params <= 20000"]
        if trial["state"] == "pruned":
            assert len(shown.intermediate_values) == len(own[-1].curve)


def last_accuracy(record: Record) -> float:
    return record.curve[-1]["validation_accuracy"]


def test_a_lost_study_stands_again_and_nothing_is_trained(quiet: Path, tmp_path: Path) -> None:
    shutil.copytree(quiet, tmp_path, dirs_exist_ok=True)
    (tmp_path / "results" / "study.db").unlink()
    assert trained(sweep(tmp_path / "tiny.yaml", tmp_path / "results")) == []
    assert same(tmp_path, quiet)
    test_optuna_shows_every_trial_with_its_values_limits_and_curve(tmp_path)


def same(one: Path, other: Path) -> bool:
    return all((one / "results" / n).read_bytes() == (other / "results" / n).read_bytes() for n in SAME)


@pytest.mark.parametrize("lines", [1, 6])
def test_a_search_that_is_killed_ends_with_the_same_bytes(
    quiet: Path, tmp_path: Path, serving: subprocess.Popen[str], lines: int
) -> None:
    path = write_experiment(tmp_path, SEARCH)
    sweeps = Sweeps(tmp_path, serving, options=("--results", "results"))
    assert sweeps.end(sweeps.begin(Strike("after append", number=lines))) == -signal.SIGKILL, sweeps.output
    with (tmp_path / "results" / "trials.jsonl").open("a") as file:
        file.write('{"schema_version": 1, "stu')  # as a kill in the middle of a question leaves it
    before = (tmp_path / "results" / "journal.jsonl").read_text().count("\n")
    events = sweep(path, tmp_path / "results")
    assert same(tmp_path, quiet)
    keys = [
        json.loads(line)["record"]["key"]
        for line in (quiet / "results" / "journal.jsonl").read_text().splitlines()
    ]
    assert len(trained(events)) == len(set(keys)) - before


def test_what_a_search_stopped_is_trained_to_its_end_for_a_design(quiet: Path, tmp_path: Path) -> None:
    shutil.copytree(quiet, tmp_path, dirs_exist_ok=True)
    stopped = next(r for r in read_records(tmp_path / "results") if r.status == "pruned")
    levels = {path: level for path, level in stopped.factors.items() if path != "attention.reduction"}
    listed = ", ".join(f"{path}: {level}" for path, level in levels.items())
    if "attention.reduction" in stopped.factors:
        listed += f", attention.reduction: {stopped.factors['attention.reduction']}"
    lines = [
        line
        for line in SEARCH.splitlines()
        if not line.startswith(("search:", "factors:", "  train.lr", "  att"))
    ]
    text = "\n".join(lines).replace("design: tpe", f"design: list\nvariants: [{{{listed}}}]")
    sweep(write_experiment(tmp_path, text), tmp_path / "results")
    again = [record for record in read_records(tmp_path / "results") if record.key == stopped.key]
    assert [record.status for record in again] == ["ok"]
    assert len(again[0].curve) == 4


def test_seeds_cannot_be_added_to_a_search(quiet: Path) -> None:
    with pytest.raises(BenchError, match="a search chooses its variants itself"):
        sweep(quiet / "tiny.yaml", quiet / "results", add_seeds=1)


def test_the_report_names_the_best_by_validation_and_its_test_accuracy(quiet: Path) -> None:
    text = report(quiet / "results")
    records = read_records(quiet / "results")
    complete = [t["variant"] for t in manifest(quiet / "results")["trials"] if t["state"] == "complete"]
    validation = {
        name: fmean(last_accuracy(record) for record in records if record.variant == name)
        for name in complete
    }
    best = max(validation, key=lambda name: validation[name])
    tested = fmean(r.measures["accuracy"].value for r in records if r.variant == best)
    shown = rows("\n".join(section(text, "Search").partition("The best by")[2:]))
    assert plain(shown[0][1]) == best
    assert shown[0][2] == f"{100 * validation[best]:.2f}"
    assert shown[0][3].startswith(f"{100 * tested:.2f}")
    sentence = "No trial was better than the baseline" if best == "baseline" else "too high on average"
    assert sentence in section(text, "Search")
    assert sentence in section(text, "Conclusion")
    assert "no credit here" in section(text, "Search")
    for title in ("Effects", "Credit", "Interactions"):
        assert f"## {title}" not in text


def test_the_report_of_two_objectives_has_their_pareto_set(quiet: Path, tmp_path: Path) -> None:
    text = SEARCH.replace(
        "search: {trials: 6, batch: 3, pruner: {name: successive_halving, factor: 2}}",
        "search: {trials: 6, batch: 3, objectives: [accuracy, macs]}",
    )
    shutil.copytree(quiet / "results", tmp_path / "results")
    sweep(write_experiment(tmp_path, text), tmp_path / "results")
    told = report(tmp_path / "results")
    points = {
        trial["number"]: tuple(trial["values"])
        for trial in manifest(tmp_path / "results")["trials"]
        if trial["state"] == "complete"
    }
    front = {
        number
        for number, (good, cost) in points.items()
        if not any(g >= good and c <= cost and (g, c) != (good, cost) for g, c in points.values())
    }
    shown = tables(section(told, "Search"))[1]
    assert {int(row[0]) for row in shown} == front
    assert "figures/search_front.svg" in told

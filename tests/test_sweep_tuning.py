"""Equal tuning, with planted outcomes: who is given what, with which budget, by which images."""

import json
import math
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from catalogs import own_catalog
from commands import run_verb
from experiments import write_experiment
from msanet_bench.cell import Job
from msanet_bench.errors import BenchError
from msanet_bench.events import Started, Stopped
from msanet_bench.parse import parse_experiment
from msanet_bench.plan import Choice
from msanet_bench.records import Status, read_records
from msanet_bench.search import tuning_candidates
from msanet_bench.shard import Shard
from msanet_bench.status import read_status
from msanet_bench.sweep.tuning import Outcome, tuning_seed
from sweeps import ended, notes, trained
from tuning import BEST, BEST_TEST, TUNED, Formula, formula, on_test, tuned, validation

__all__ = ["formula"]

NAMES = {"baseline": "self_attention", "attention=none": "none", "attention=se": "se"}


def tuning(results: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((results / "manifest.json").read_text())["tuning"]
    return found


def chosen(results: Path) -> dict[str, float]:
    """The learning rate that each variant was given."""
    found = tuning(results)
    lrs = [candidate["train.lr"] for candidate in found["candidates"]]
    return {outcome["variant"]: lrs[outcome["chosen"]] for outcome in found["outcomes"]}


def nearest(lrs: list[float], best: float) -> float:
    return min(lrs, key=lambda lr: abs(math.log10(lr) - best))


def candidates(tune: str, train: str = "{lr: 1e-3}") -> tuple[Choice, ...]:
    text = f"delta: 1 pp\nfactors: {{attention: [none, se]}}\ntrain: {train}\ntune: {tune}\n"
    experiment = parse_experiment(text, source="x", name="x", catalog=own_catalog())
    assert experiment.tune is not None
    return tuning_candidates(experiment, experiment.tune, own_catalog())


def test_every_variant_is_given_the_candidate_that_is_planted_as_best(
    formula: Formula, tmp_path: Path
) -> None:
    tuned(tmp_path)
    found = tuning(tmp_path / "results")
    lrs = [candidate["train.lr"] for candidate in found["candidates"]]
    wanted = {name: nearest(lrs, BEST[attention]) for name, attention in NAMES.items()}
    assert len(set(wanted.values())) == 3
    assert chosen(tmp_path / "results") == wanted
    for outcome in found["outcomes"]:
        expected = [validation(NAMES[outcome["variant"]], lr) for lr in lrs]
        assert outcome["accuracies"] == pytest.approx(expected)
    own = [job for job in formula.testing if not job.variant.endswith("(untuned)")]
    assert {job.variant: job.settings.train.lr for job in own} == wanted


@pytest.mark.usefixtures("formula")
def test_a_choice_by_test_accuracy_would_be_another_for_every_variant(tmp_path: Path) -> None:
    tuned(tmp_path)
    lrs = [candidate["train.lr"] for candidate in tuning(tmp_path / "results")["candidates"]]
    by_test = {name: nearest(lrs, BEST_TEST[attention]) for name, attention in NAMES.items()}
    found = chosen(tmp_path / "results")
    assert all(found[name] != by_test[name] for name in NAMES)


def test_all_have_the_same_candidates_before_any_is_tested_and_with_a_seed_of_their_own(
    formula: Formula, tmp_path: Path
) -> None:
    tuned(tmp_path)
    kinds = [is_tested for is_tested, _ in groupby(formula.jobs, key=lambda job: job.is_tested)]
    assert kinds == [False, True]
    assert {job.seed for job in formula.tuning} == {1000}
    assert {job.seed for job in formula.testing} == {0, 1}
    tried = {name: [j.settings.train.lr for j in formula.tuning if j.variant == name] for name in NAMES}
    assert all(len(lrs) == 8 for lrs in tried.values())
    assert len(set(map(tuple, tried.values()))) == 1
    assert len({job.key for job in formula.jobs}) == len(formula.jobs)


@pytest.mark.usefixtures("formula")
def test_names_and_levels_stay_and_the_untuned_stand_beside(tmp_path: Path) -> None:
    tuned(tmp_path)
    results, lrs = tmp_path / "results", chosen(tmp_path / "results")
    for file, lr_of in (
        (results / "records.jsonl", lrs.__getitem__),
        (results / "untuned.jsonl", lambda _: 1e-3),
    ):
        records = read_records(file)
        assert [(r.variant, r.seed) for r in records] == [(name, seed) for seed in (0, 1) for name in NAMES]
        for record in records:
            attention = NAMES[record.variant]
            assert record.factors == {"attention": attention}
            assert record.measures["accuracy"].value == on_test(attention, lr_of(record.variant), record.seed)


def test_what_is_best_as_it_is_is_trained_once(formula: Formula, tmp_path: Path) -> None:
    """The baseline's planted best is what the file says."""
    tuned(tmp_path)
    assert tuning(tmp_path / "results")["outcomes"][0]["chosen"] == 0
    names = [job.variant for job in formula.testing]
    assert sorted(set(names)) == [
        "attention=none",
        "attention=none (untuned)",
        "attention=se",
        "attention=se (untuned)",
        "baseline",
    ]
    assert len(names) == 10


@pytest.mark.usefixtures("formula")
def test_the_sweep_says_what_is_to_come_and_a_second_one_has_nothing_to_do(tmp_path: Path) -> None:
    events = tuned(tmp_path)
    started = events[0]
    assert isinstance(started, Started)
    assert (started.cells, started.done, started.tuning) == (30, 0, 24)
    assert (ended(events).cells, ended(events).not_ok, ended(events).left) == (34, 0, 0)
    again = tuned(tmp_path)
    assert trained(again) == []
    assert isinstance(again[0], Started)
    assert (again[0].cells, again[0].done, again[0].untuned) == (34, 34, 4)
    assert not any("not in this plan" in note for note in notes(again))


def test_a_candidate_that_diverges_loses_and_is_no_failure(formula: Formula, tmp_path: Path) -> None:
    def status(job: Job) -> Status:
        return "diverged" if not job.is_tested and job.settings.train.lr > 1e-3 else "ok"

    formula.status = status
    events = tuned(tmp_path, max_failures=0)
    lrs = [candidate["train.lr"] for candidate in tuning(tmp_path / "results")["candidates"]]
    assert max(lrs) > 1e-3
    assert chosen(tmp_path / "results")["attention=none"] == max(lr for lr in lrs if lr <= 1e-3)
    assert ended(events).not_ok == 0


def test_where_every_candidate_fails_the_file_has_its_way(formula: Formula, tmp_path: Path) -> None:
    formula.status = lambda job: "failed" if not job.is_tested and job.variant == "attention=se" else "ok"
    tuned(tmp_path)
    outcome = tuning(tmp_path / "results")["outcomes"][2]
    assert (outcome["variant"], outcome["chosen"], set(outcome["statuses"])) == (
        "attention=se",
        0,
        {"failed"},
    )
    assert chosen(tmp_path / "results")["attention=se"] == 1e-3


def test_of_equals_the_first_is_chosen_and_nothing_before_all_have_ended() -> None:
    ok = ("ok",) * 3
    assert Outcome((0.5, 0.7, 0.7), ok).chosen == 1
    assert Outcome((0.5, 0.5, 0.5), ok).chosen == 0
    assert Outcome((None, 0.0, None), ("failed", "ok", "diverged")).chosen == 1
    assert Outcome((0.5, 0.9, None), ("ok", "ok", "missing")).chosen is None


def test_too_many_failures_while_tuning_test_nothing(formula: Formula, tmp_path: Path) -> None:
    formula.status = lambda job: "failed" if job.variant == "attention=se" else "ok"
    events = tuned(tmp_path, max_failures=0)
    assert any(isinstance(event, Stopped) for event in events)
    assert formula.testing == []
    assert ended(events).left > 0
    assert [outcome["chosen"] for outcome in tuning(tmp_path / "results")["outcomes"]] == [None] * 3
    assert read_records(tmp_path / "results") == []


@pytest.mark.parametrize("most", [10, 24, 31])
def test_a_sweep_that_is_broken_off_ends_with_the_same_bytes(
    formula: Formula, tmp_path: Path, most: int
) -> None:
    for name in ("quiet", "broken"):
        (tmp_path / name).mkdir()
    tuned(tmp_path / "quiet")
    formula.jobs, formula.most = [], most
    with pytest.raises(KeyboardInterrupt):
        tuned(tmp_path / "broken")
    formula.most = None
    tuned(tmp_path / "broken")
    assert len(formula.jobs) == 34
    for file in ("records.jsonl", "untuned.jsonl", "manifest.json", "results.csv"):
        quiet, broken = (tmp_path / name / "results" / file for name in ("quiet", "broken"))
        assert quiet.read_bytes() == broken.read_bytes(), file


def test_added_seeds_are_trained_tuned_and_untuned_and_are_not_the_tuning_seed(
    formula: Formula, tmp_path: Path
) -> None:
    text = TUNED.replace("seeds: 2", "seeds: [0, 1, 1000]")
    tuned(tmp_path, text)
    assert {job.seed for job in formula.tuning} == {1001}
    formula.jobs = []
    tuned(tmp_path, text, variants="attention=none", add_seeds=2)
    assert [(job.variant, job.seed) for job in formula.jobs] == [
        ("attention=none", 2),
        ("attention=none", 3),
        ("attention=none (untuned)", 2),
        ("attention=none (untuned)", 3),
    ]


def test_the_tuning_seed_is_of_no_tested_cell() -> None:
    assert tuning_seed([0, 1, 2]) == tuning_seed(range(5)) == 1000
    assert tuning_seed([1000, 1001, 7]) == 1002


def test_more_seeds_keep_what_was_chosen(formula: Formula, tmp_path: Path) -> None:
    tuned(tmp_path)
    before, formula.jobs = chosen(tmp_path / "results"), []
    tuned(tmp_path, TUNED.replace("seeds: 2", "seeds: 3"))
    assert formula.tuning == []
    assert chosen(tmp_path / "results") == before
    assert {job.seed for job in formula.testing} == {2}


def test_without_the_section_the_untuned_cells_are_there_already(formula: Formula, tmp_path: Path) -> None:
    tuned(tmp_path)
    formula.jobs = []
    tuned(tmp_path, "\n".join(line for line in TUNED.splitlines() if not line.startswith("tune:")))
    assert formula.jobs == []
    assert not (tmp_path / "results" / "untuned.jsonl").exists()
    for record in read_records(tmp_path / "results"):
        expected = on_test(NAMES[record.variant], 1e-3, record.seed)
        assert record.measures["accuracy"].value == expected


def test_a_shard_cannot_tune(formula: Formula, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="--shard: not with `tune`"):
        tuned(tmp_path, shard=Shard(1, 2))
    assert formula.jobs == []


def test_the_first_candidate_is_what_the_file_says_and_the_others_fill_the_range() -> None:
    found = [choice["train.lr"] for choice in candidates("{train.lr: [1e-5, 1e-1, log], trials: 33}")]
    assert found[0] == 1e-3
    assert len(set(found)) == 33
    assert all(1e-5 <= lr <= 1e-1 and lr == float(f"{lr:.3g}") for lr in found)
    # 32 points of a Sobol sequence less the first few: each of four decades has its share of them
    decades = [sum(10.0**-low >= lr > 10.0 ** -(low + 1) for lr in found[1:]) for low in (1, 2, 3, 4)]
    assert all(7 <= number <= 9 for number in decades), decades


def test_more_candidates_go_on_and_another_seed_gives_others() -> None:
    few, many, other = (
        candidates(f"{{train.lr: [1e-5, 1e-1, log], train.momentum: {{low: 0.1, high: 0.9}}, {rest}}}")
        for rest in ("trials: 4", "trials: 16", "trials: 4, seed: 1")
    )
    assert many[:4] == few
    assert other[0] == few[0] == {"train.lr": 1e-3, "train.momentum": 0.9}
    assert not set(map(str, other[1:])) & set(map(str, few[1:]))


def test_of_few_levels_there_are_few_candidates_each_once() -> None:
    found = candidates("{train.optimiser: [adamw, sgd], data.augment: [[], [flip]], trials: 9}")
    assert found[0] == {"train.optimiser": "adamw", "data.augment": ()}
    assert len(found) == len(set(map(str, found))) == 4


def test_a_candidate_that_is_written_otherwise_is_the_same() -> None:
    """The file's own 0.0 and the level 0 are one training: tried twice, they would be one cell."""
    found = candidates("{train.label_smoothing: [0, 0.1], trials: 9}")
    assert [choice["train.label_smoothing"] for choice in found] == [0.0, 0.1]


@pytest.mark.usefixtures("formula")
def test_check_plan_and_status_count_what_tunes(tmp_path: Path) -> None:
    path = write_experiment(tmp_path, TUNED)
    said = "Tuning of train.lr: 3 variants x 8 candidates with seed 1000 = 24 cells before, and at most 6"
    assert said in run_verb("check", path, cwd=tmp_path).out
    tuned(tmp_path)
    planned = run_verb("plan", path, "--results", "results", "--no-duration", cwd=tmp_path).out
    planned = " ".join(planned.split())
    assert said in planned
    assert "24 of those that tune are done" in planned
    look = read_status(tmp_path / "results", 0.0)
    assert (look.state, look.cells, look.missing) == ("done", 34, 0)
    counts = {variant.variant: variant.counts["ok"] for variant in look.variants}
    assert counts["attention=se (tuning)"] == 8
    assert counts["attention=se (untuned)"] == counts["attention=se"] == 2
    assert "baseline (untuned)" not in counts

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from msanet_bench.amendments import History, decided, planned, read_history, seeds_beyond
from msanet_bench.errors import ResultsError
from msanet_bench.plan import Cell, Variant, baseline_settings
from msanet_bench.report.manifest import read_manifest
from msanet_bench.spec import Experiment

DATA = Path(__file__).parent / "data"
FIRST = Experiment(name="plans", delta="1 pp", seeds=(0, 1))


def cells(experiment: Experiment, *names: str) -> list[Cell]:
    settings = baseline_settings(experiment)
    variants = [Variant(name, {}, settings) for name in names or ("baseline", "attention=none")]
    return [
        Cell(variant, seed, f"{variant.name}:{seed}") for seed in experiment.seeds for variant in variants
    ]


def plan(
    before: History, experiment: Experiment, *names: str, has_results: bool = True, **added: int
) -> History:
    return planned(before, experiment, cells(experiment, *names), added, has_results=has_results)


def edited(**changes: Any) -> Experiment:
    return Experiment.model_validate({**FIRST.model_dump(), **changes})


def test_a_first_plan_is_one_look_and_no_amendment_and_so_is_the_same_again() -> None:
    first = plan(History(), FIRST, has_results=False)
    assert (first.looks, first.amendments) == (((0, 1),), ())
    again = plan(first, FIRST)
    assert again == first


def test_seeds_that_are_added_after_results_are_a_look_and_an_amendment_each_time() -> None:
    history = plan(History(), FIRST, has_results=False)
    for seeds in [(0, 1, 2), (0, 1, 2), (0, 1, 2, 3)]:
        history = plan(history, edited(seeds=seeds))
    assert history.looks == ((0, 1), (0, 1, 2), (0, 1, 2, 3))
    assert history.amendments == (
        {"changed": {"seeds": [[0, 1], [0, 1, 2]]}, "cells": {"kept": 4, "new": 2, "orphaned": 0}},
        {"changed": {"seeds": [[0, 1, 2], [0, 1, 2, 3]]}, "cells": {"kept": 6, "new": 2, "orphaned": 0}},
    )


def test_a_plan_that_changes_before_there_is_a_result_is_no_look() -> None:
    history = plan(plan(History(), FIRST, has_results=False), edited(seeds=(0, 1, 2)), has_results=False)
    assert (history.looks, history.amendments) == (((0, 1, 2),), ())


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"delta": "2 pp"}, {"delta": ["1 pp", "2 pp"]}),
        ({"analysis": {"alpha": 0.1}}, {"analysis.alpha": [0.05, 0.1]}),
        ({"train": {"epochs": 20}}, {"train.epochs": [10, 20]}),
        (
            {"factors": {"attention": {"levels": ("none",)}}},
            {"factors.attention": [None, {"levels": ["none"], "when": {}}]},
        ),
    ],
)
def test_whatever_of_the_file_changes_after_results_is_named_with_both_values(
    changes: dict[str, Any], difference: dict[str, list[Any]]
) -> None:
    history = plan(plan(History(), FIRST, has_results=False), edited(**changes))
    (amendment,) = history.amendments
    assert amendment["changed"] == difference


def test_cells_that_a_plan_drops_are_counted_as_orphaned() -> None:
    history = plan(plan(History(), FIRST, has_results=False), edited(seeds=(1, 2)), "baseline", "width=2")
    assert history.amendments[0]["cells"] == {"kept": 1, "new": 3, "orphaned": 3}


def test_seeds_added_beyond_the_file_are_an_amendment() -> None:
    history = plan(plan(History(), FIRST, has_results=False), FIRST, baseline=3)
    assert history.amendments[0]["changed"] == {"added seeds of baseline": [None, 3]}
    assert history.added_seeds == {"baseline": 3}
    assert plan(history, FIRST, baseline=3) == history


def test_added_seeds_are_the_first_that_the_file_does_not_name() -> None:
    assert seeds_beyond((0, 1, 4), 4) == [2, 3, 5, 6]
    assert seeds_beyond((0, 1), 0) == []


def test_a_decision_about_other_code_is_told_once_however_often_it_is_asked() -> None:
    first = decided(History(), "trained again", "new")
    assert first.amendments == ({"other_code": "trained again", "now": "new"},)
    assert decided(first, "trained again", "new") == first
    assert len(decided(first, "trained again", "newer").amendments) == 2


def test_a_folder_without_a_manifest_remembers_nothing(tmp_path: Path) -> None:
    assert read_history(tmp_path) == History()


def test_a_manifest_of_version_1_had_one_look(tmp_path: Path) -> None:
    shutil.copy(DATA / "manifest_v1.json", tmp_path / "manifest.json")
    assert "looks" not in json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert read_manifest(tmp_path).looks == ((0, 1, 2),)
    history = read_history(tmp_path)
    assert (history.looks, history.amendments, history.accepted_code) == (((0, 1, 2),), (), frozenset())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 2}'])
def test_a_damaged_manifest_is_refused_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ResultsError, match=r"manifest\.json: not a manifest .* move it away"):
        read_history(tmp_path)

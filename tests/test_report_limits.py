"""What the report says of its own validity, and what variants are said to share."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from msanet_bench.records import read_records, write_records
from report_text import edit_manifest, report, section


@pytest.fixture
def results(small_results: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "small")
    return tmp_path / "small"


def threats(results: Path, *, allow_mixed: bool = False) -> str:
    return section(report(results, allow_mixed=allow_mixed), "Threats to validity")


def test_results_of_several_machines_are_said_with_their_numbers(results: Path) -> None:
    assert "Not all results" not in threats(results)
    records = [
        replace(r, provenance={**r.provenance, "torch": "3.0", "threads": 8}) if r.seed == 2 else r
        for r in read_records(results)
    ]
    write_records(results / "records.jsonl", records)
    text = threats(results, allow_mixed=True)
    assert "Not all results have the same version of torch: `2.14.1` (10 records), `3.0` (5 records)." in text
    assert "same number of threads: `1` (10 records), `8` (5 records)." in text
    assert "same device" not in text


@pytest.mark.parametrize("name", ["device", "code"])
def test_a_device_or_code_that_only_some_results_name_is_said(results: Path, name: str) -> None:
    first, *others = read_records(results)
    provenance = {**first.provenance, name: "mine"}
    write_records(results / "records.jsonl", [replace(first, provenance=provenance), *others])
    assert re.search(
        rf"same (device|digest of the training {name}): `mine` \(1 record\), ",
        threats(results, allow_mixed=True),
    )


def vary(results: Path, path: str, *levels: str) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["experiment"]["factors"][path] = {"levels": levels, "when": {}}
        manifest["variants"][0]["factors"][path] = levels[0]
        manifest["variants"][1]["factors"][path] = levels[1]

    edit_manifest(results, edit)


def test_one_data_set_one_recipe_and_short_training_are_threats(small_results: Path) -> None:
    text = threats(small_results)
    assert "One data set (`digits`)" in text
    assert "One training recipe" in text
    assert "Short training (8 epochs)" in text


@pytest.mark.parametrize("path", ["data.dataset", "data.options.root"])
def test_several_data_sets_are_not_called_one(results: Path, path: str) -> None:
    vary(results, path, "digits", "fake")
    assert "One data set" not in threats(results)


def test_fewer_images_of_the_data_set_are_the_same_data_set(results: Path) -> None:
    vary(results, "data.train_images", "400", "100")
    assert "One data set (`digits`)" in threats(results)


def test_several_recipes_are_not_called_one(results: Path) -> None:
    vary(results, "train.lr", "0.002", "0.01")
    assert "One training recipe" not in threats(results)
    assert "No training recipe was tuned" in threats(results)


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        ((29, 29), "Short training (29 epochs)"),
        ((30, 30), None),
        ((5, 40), "Short training (5 to 40 epochs)"),
    ],
)
def test_only_short_training_is_called_short(
    results: Path, epochs: tuple[int, int], said: str | None
) -> None:
    edit_manifest(results, lambda manifest: manifest["experiment"]["train"].update(epochs=epochs[0]))
    vary(results, "train.epochs", *map(str, epochs))
    text = threats(results)
    assert said in text if said else "Short training" not in text


def test_what_variants_do_not_share_is_said(results: Path) -> None:
    before = section(report(results), "What was run")
    assert "in common, so they are compared in pairs." in before
    vary(results, "data.augment", "none", "flip")
    vary(results, "train.batch_size", "32", "64")
    vary(results, "replicate", "0", "1")
    after = section(report(results), "What was run")
    assert "in common, except what `data.augment`, `train.batch_size` changes, so they are" in after
    assert "A variant with a replicate of its own draws all of these anew." in after
    assert "replicate of its own" not in before

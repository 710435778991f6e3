"""Reading a results folder."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from msanet_bench.errors import ResultsError
from msanet_bench.records import read_records, write_records
from msanet_bench.report.inputs import read_inputs
from msanet_bench.units import Measure


@pytest.fixture
def results(small_results: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "small")
    return tmp_path / "small"


def change_manifest(results: Path, **fields: object) -> None:
    file = results / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


@pytest.mark.parametrize("measures", [{}, {"accuracy": Measure(5.0, "fraction", "higher")}])
def test_a_record_that_is_ok_has_an_accuracy(results: Path, measures: dict[str, Measure]) -> None:
    first, *others = read_records(results)
    write_records(results / "records.jsonl", [replace(first, measures=measures), *others])
    with pytest.raises(ResultsError, match=r"`baseline` with seed 0 is ok and must have an accuracy from 0"):
        read_inputs(results)


@pytest.mark.parametrize(("name", "value"), [("provenance", []), ("reason", None), ("factors", "x")])
def test_a_field_of_another_kind_is_no_record(results: Path, name: str, value: object) -> None:
    file = results / "records.jsonl"
    first, *others = file.read_text().splitlines()
    file.write_text("\n".join([json.dumps({**json.loads(first), name: value}), *others]) + "\n")
    with pytest.raises(ResultsError, match=rf"records.jsonl:1: not a record \(TypeError: `{name}` must be a"):
        read_inputs(results)


def test_a_plan_whose_parts_are_no_mappings_is_refused(results: Path) -> None:
    change_manifest(results, environment=[])
    with pytest.raises(ResultsError, match="`environment` must be a mapping, but is"):
        read_inputs(results)


def test_a_plan_without_a_look_was_looked_at_once(results: Path) -> None:
    change_manifest(results, looks=[])
    assert read_inputs(results).manifest.looks == ((0, 1, 2),)


def test_every_planned_cell_is_there_in_plan_order(results: Path) -> None:
    inputs = read_inputs(results)
    names = [variant.name for variant in inputs.manifest.variants]
    assert list(inputs.cells) == [(name, seed) for name in names for seed in (0, 1, 2)]
    assert [cell for cell, record in inputs.cells.items() if record is None] == [
        ("attention=none,branches.conv5=off", 1)
    ]


def test_the_declared_delta_is_a_fraction(results: Path) -> None:
    assert read_inputs(results).manifest.delta == pytest.approx(0.005)


def test_latencies_and_profiles_may_be_missing(results: Path) -> None:
    (results / "latency.csv").unlink()
    (results / "profile.json").unlink()
    inputs = read_inputs(results)
    assert (inputs.latencies.timings, inputs.profiles) == ((), {})


def test_records_outside_the_plan_are_counted(results: Path) -> None:
    manifest = json.loads((results / "manifest.json").read_text())
    change_manifest(results, variants=manifest["variants"][:-1])
    assert read_inputs(results).strays == 3


def test_records_of_an_edited_experiment_are_not_taken_for_those_of_the_new_plan(results: Path) -> None:
    manifest = json.loads((results / "manifest.json").read_text())
    edited = [{**cell, "key": f"new{number}"} for number, cell in enumerate(manifest["cells"])]
    change_manifest(results, cells=edited)
    inputs = read_inputs(results)
    assert set(inputs.cells.values()) == {None}
    assert inputs.strays == 17


def test_a_record_is_found_by_its_key_whatever_its_variant_was_called(results: Path) -> None:
    file = results / "records.jsonl"
    file.write_text(file.read_text().replace('"variant":"baseline"', '"variant":"attention=self_attention"'))
    inputs = read_inputs(results)
    baseline = inputs.cells["baseline", 0]
    assert baseline is not None
    assert (baseline.variant, baseline.key) == ("baseline", inputs.manifest.keys["baseline", 0])
    assert inputs.strays == 0


def test_two_records_of_one_cell_are_refused(results: Path) -> None:
    file = results / "records.jsonl"
    file.write_text(file.read_text() + file.read_text().splitlines()[0] + "\n")
    with pytest.raises(ResultsError, match="`baseline` has two records of seed 0"):
        read_inputs(results)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("manifest.json", "{", "not a manifest"),
        ("manifest.json", "[]", "not a manifest"),
        ("manifest.json", '{"schema": 1}', r"not a manifest \(KeyError"),
        ("latency.csv", "variant\nbaseline\n", "not a table of latencies"),
        ("latency.csv", f"variant\n{'n' * 200_000}\n", "not a table of latencies"),
        ("latency.csv", "device,batch\ncpu\n", "not a table of latencies"),
        ("latency_sessions.csv", "device\ncpu\n", "not a table of latencies"),
        ("latency_sessions.csv", "super_rounds,device,batch\n1,cpu\n", "not a table of latencies"),
        ("session.json", "[]", "not about a session"),
        ("profile.json", "[]", "not a profile"),
    ],
)
def test_a_damaged_file_is_named(results: Path, name: str, text: str, message: str) -> None:
    (results / name).write_text(text)
    with pytest.raises(ResultsError, match=f"{name}: {message}"):
        read_inputs(results)


def test_a_folder_without_a_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="Run `msanet-bench sweep` first"):
        read_inputs(tmp_path)


def test_a_manifest_of_a_newer_version_is_refused(results: Path) -> None:
    change_manifest(results, schema_version=3)
    with pytest.raises(ResultsError, match=r"newer msanet-bench \(manifest of schema version 3, "):
        read_inputs(results)


@pytest.mark.parametrize(("kept", "message"), [(None, "KeyError: 'cells'"), (17, "KeyError: .*, 2")])
def test_a_manifest_without_the_keys_of_its_cells_is_refused(
    results: Path, kept: int | None, message: str
) -> None:
    file = results / "manifest.json"
    manifest = json.loads(file.read_text())
    cells = manifest.pop("cells")
    file.write_text(json.dumps(manifest if kept is None else {**manifest, "cells": cells[:kept]}))
    with pytest.raises(ResultsError, match=rf"manifest.json: not a manifest \({message}"):
        read_inputs(results)


def test_a_manifest_without_its_baseline_is_refused(results: Path) -> None:
    change_manifest(results, baseline="gone")
    with pytest.raises(ResultsError, match="`gone` is not among the variants"):
        read_inputs(results)

"""The JSON Schema of a record against an independent validator: all records there are, and damaged ones."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from msanet_bench.errors import ResultsError
from msanet_bench.records import Record, Status, json_fields, read_records
from msanet_bench.schema import record_schema
from msanet_bench.units import Better, Measure

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data"
NEWEST = DATA / "records_v2.jsonl"
FOLDERS = [*sorted(path.parent for path in ROOT.glob("results/*/records.jsonl")), DATA / "small_results"]
SCHEMA = json.loads(json.dumps(record_schema()))
VALIDATOR = Draft202012Validator(SCHEMA)

Damage = Callable[[dict[str, Any]], object]


def lines(status: Status) -> list[dict[str, Any]]:
    """The lines of the newest fixture that ended so, as a program of somebody else reads them."""
    read = [json.loads(line) for line in NEWEST.read_text(encoding="utf-8").splitlines()]
    return [line for line in read if line["status"] == status]


def test_the_schema_is_one_of_its_draft() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_its_properties_are_the_fields_of_a_record_and_all_are_required() -> None:
    names = ["schema_version", *(field.name for field in fields(Record))]
    assert list(SCHEMA["properties"]) == SCHEMA["required"] == names
    assert names == list(read_records(NEWEST)[0].to_json())


def test_its_words_are_those_of_the_program() -> None:
    measure = SCHEMA["$defs"]["Measure"]
    assert SCHEMA["properties"]["status"]["enum"] == list(get_args(Status))
    assert measure["properties"]["better"]["enum"] == list(get_args(Better))
    assert measure["required"] == [field.name for field in fields(Measure)]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_committed_record_fits_once_it_is_migrated(folder: Path) -> None:
    records = read_records(folder)
    assert records
    for record in records:
        VALIDATOR.validate(record.to_json())


def test_every_line_of_the_newest_version_fits_as_it_stands() -> None:
    for line in lines("ok") + lines("failed"):
        VALIDATOR.validate(line)


def test_a_line_of_version_1_does_not_fit() -> None:
    old = json.loads((DATA / "records_v1.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert {error.validator for error in VALIDATOR.iter_errors(old)} == {"additionalProperties", "required"}


def accuracy(line: dict[str, Any]) -> dict[str, Any]:
    measure: dict[str, Any] = line["measures"]["accuracy"]
    return measure


DAMAGES: dict[str, Damage] = {
    "another version": lambda line: line.update(schema_version=3),
    "an unknown status": lambda line: line.update(status="fine"),
    "a field too many": lambda line: line.update(host="here"),
    "a key that is no digest": lambda line: line.update(key="baseline"),
    "a variant without a name": lambda line: line.update(variant=""),
    "a negative seed": lambda line: line.update(seed=-1),
    "a seed with a fraction": lambda line: line.update(seed=0.5),
    "a seed in words": lambda line: line.update(seed="0"),
    "no unit": lambda line: accuracy(line).pop("unit"),
    "no direction": lambda line: accuracy(line).pop("better"),
    "an unknown direction": lambda line: accuracy(line).update(better="more"),
    "a measure with more to say": lambda line: accuracy(line).update(sd=0.1),
    "a bare number": lambda line: line["measures"].update(accuracy=0.5),
    "a value that is none": lambda line: accuracy(line).update(value=None),
    "a NaN in words": lambda line: accuracy(line).update(value="NaN"),
    "no accuracy": lambda line: line["measures"].pop("accuracy"),
    "an epoch in words": lambda line: line["curve"][0].update(train_loss="low"),
    "bits that are no base64": lambda line: line.update(correct="//e6*A=="),
    "bits that end early": lambda line: line.update(correct=line["correct"][:-1]),
    "no bits": lambda line: line.update(correct=""),
    "no images": lambda line: line.update(test_images=0),
    "a reason for success": lambda line: line.update(reason="luck"),
    "measures of a failure": lambda line: line.update(status="failed", reason="no", correct=""),
    "provenance as a list": lambda line: line.update(provenance=[]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_line_does_not_fit(damage: Damage) -> None:
    line = lines("ok")[0]
    VALIDATOR.validate(line)
    damage(line)
    assert not VALIDATOR.is_valid(line)


@pytest.mark.parametrize("name", SCHEMA["required"])
def test_a_line_without_one_of_its_fields_does_not_fit(name: str) -> None:
    for line in (lines("ok")[0], lines("failed")[0]):
        del line[name]
        assert not VALIDATOR.is_valid(line)


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.update(reason=""),
        lambda line: line.update(correct="soA="),
        lambda line: line.update(measures={"loss": {"value": 1, "unit": "nat", "better": "lower"}}),
        lambda line: line.update(status="ok"),
    ],
)
def test_a_failure_with_numbers_or_without_a_reason_does_not_fit(damage: Damage) -> None:
    line = lines("failed")[0]
    damage(line)
    assert not VALIDATOR.is_valid(line)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_nan_is_no_json_and_so_is_refused_before_any_schema(number: str, tmp_path: Path) -> None:
    text = (
        NEWEST.read_text(encoding="utf-8").splitlines()[0].replace('"value":0.8811', f'"value":{number}', 1)
    )
    with pytest.raises(ValueError, match=f"{number} is no number of JSON"):
        json_fields(text.encode())
    (tmp_path / "records.jsonl").write_text(f"{text}\n", encoding="utf-8")
    with pytest.raises(ResultsError, match=f":1: not a record .ValueError: {number} is no number of JSON"):
        read_records(tmp_path)

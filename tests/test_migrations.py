"""Older files: each version has a fixture and reads like the newest; newer ones and damage are refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from msanet_bench.errors import ResultsError
from msanet_bench.journal import Attempt, Journal
from msanet_bench.migrations import STEPS, Kind, migrated, newest
from msanet_bench.records import json_line, read_records, write_records
from msanet_bench.report.manifest import read_manifest
from msanet_bench.status import read_status

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[1]
KINDS: tuple[Kind, ...] = get_args(Kind)
FILES: dict[Kind, str] = {
    "record": "records_v{}.jsonl",
    "attempt": "journal_v{}.jsonl",
    "manifest": "manifest_v{}.json",
}


def fixture(kind: Kind, version: int) -> Path:
    return DATA / FILES[kind].format(version)


def read_manifest_file(path: Path, folder: Path) -> object:
    shutil.copy(path, folder / "manifest.json")
    return read_manifest(folder)


READERS: dict[Kind, Callable[[Path, Path], object]] = {
    "record": lambda path, _: read_records(path),
    "attempt": lambda path, _: Journal(path).read(),
    "manifest": read_manifest_file,
}
VERSIONS = [(kind, version) for kind in KINDS for version in range(1, newest(kind) + 1)]


def test_every_kind_has_its_versions() -> None:
    assert {kind: newest(kind) for kind in KINDS} == {"record": 2, "attempt": 2, "manifest": 2}


@pytest.mark.parametrize(("kind", "version"), VERSIONS)
def test_every_version_has_a_fixture_which_says_so_in_each_line(kind: Kind, version: int) -> None:
    text = fixture(kind, version).read_text(encoding="utf-8")
    key = "schema" if version == 1 else "schema_version"
    objects = [json.loads(text)] if kind == "manifest" else list(map(json.loads, text.splitlines()))
    assert objects
    assert {each[key] for each in objects} == {version}


@pytest.mark.parametrize(("kind", "version"), VERSIONS)
def test_every_version_reads_the_same_as_the_newest(kind: Kind, version: int, tmp_path: Path) -> None:
    read = READERS[kind]
    assert read(fixture(kind, version), tmp_path) == read(fixture(kind, newest(kind)), tmp_path)


def test_a_migration_that_is_left_out_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STEPS, "record", (dict,))  # type: ignore[misc]
    with pytest.raises(ResultsError, match=r"records_v1.jsonl:1: not a record \(TypeError: .*'schema'"):
        read_records(fixture("record", 1))
    assert read_records(fixture("record", 2))


def test_the_fixtures_hold_what_was_written_then() -> None:
    first, _, failed = read_records(fixture("record", 1))
    assert (first.variant, first.seed, first.measures["accuracy"].value) == ("baseline", 0, 0.8811)
    assert first.correct_bits().sum() == 8811  # of 10,000
    assert (failed.status, failed.reason.partition("\n")[2]) == ("failed", "but got <8>")


def test_steps_are_taken_in_order_from_the_version_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(number: int) -> Callable[[Any], dict[str, Any]]:
        return lambda fields: {"schema_version": number, "steps": [*fields.get("steps", []), number]}

    monkeypatch.setitem(STEPS, "record", tuple(map(step, (2, 3, 4))))  # type: ignore[misc]
    assert migrated("record", "here", {"schema": 1})["steps"] == [2, 3, 4]
    assert migrated("record", "here", {"schema_version": 3})["steps"] == [4]
    assert migrated("record", "here", {"schema_version": 4}) == {"schema_version": 4}


def test_fields_of_the_newest_version_are_taken_as_they_are() -> None:
    fields = {"schema_version": 2, "schema": "a field of a later time"}
    assert migrated("record", "here", fields) is fields


@pytest.mark.parametrize("fields", [{"schema_version": "2"}, {"schema_version": 0}, {"schema": None}])
def test_what_is_no_version_is_damage(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no schema version: "):
        migrated("record", "here", fields)


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_version_is_refused_with_one_clear_message(kind: Kind, tmp_path: Path) -> None:
    text = fixture(kind, 2).read_text(encoding="utf-8").replace('"schema_version": 2', '"schema_version":2')
    path = tmp_path / ("manifest.json" if kind == "manifest" else "lines.jsonl")
    path.write_text(text.replace('"schema_version":2', '"schema_version":3', 1), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(ResultsError) as caught:
        read_manifest(tmp_path) if kind == "manifest" else READERS[kind](path, tmp_path)
    place = str(path) if kind == "manifest" else f"{path}:1"
    assert str(caught.value) == (
        f"{place}: written by a newer msanet-bench ({kind} of schema version 3, this one knows up to 2). "
        "Upgrade msanet-bench to read it: the file is left as it is."
    )
    assert path.read_bytes() == before


def test_the_record_in_an_attempt_has_a_version_of_its_own(tmp_path: Path) -> None:
    (first, _) = fixture("attempt", 2).read_text(encoding="utf-8").splitlines()
    (tmp_path / "old_inside").write_text(
        first.replace('"record":{"schema_version":2', '"record":{"schema":1') + "\n", encoding="utf-8"
    )
    assert Journal(tmp_path / "old_inside").read() == Journal(fixture("attempt", 1)).read()[:1]
    (tmp_path / "new_inside").write_text(
        first.replace('"record":{"schema_version":2', '"record":{"schema_version":3') + "\n", encoding="utf-8"
    )
    with pytest.raises(
        ResultsError, match=r":1: written by a newer msanet-bench \(record of schema version 3"
    ):
        Journal(tmp_path / "new_inside").read()


def test_status_does_not_read_a_newer_plan(tmp_path: Path) -> None:
    text = (
        fixture("manifest", 2)
        .read_text(encoding="utf-8")
        .replace('"schema_version": 2', '"schema_version": 3')
    )
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError, match=r"manifest.json: written by a newer msanet-bench \(manifest of"):
        read_status(tmp_path, now=0.0)


def test_a_journal_of_version_1_goes_on_with_lines_of_version_2(tmp_path: Path) -> None:
    journal = Journal(Path(shutil.copy(fixture("attempt", 1), tmp_path / "journal.jsonl")))
    before = journal.path.read_bytes()
    first, second = journal.read()
    assert journal.repair() == 0
    journal.append(first)
    assert journal.read() == [first, second, first]
    old, new = journal.path.read_bytes()[: len(before)], journal.path.read_bytes()[len(before) :]
    assert old == before
    # the line as it was written by hand in the fixture of version 2
    assert new == fixture("attempt", 2).read_bytes().splitlines(keepends=True)[0]


def test_old_records_are_written_as_the_newest(tmp_path: Path) -> None:
    write_records(tmp_path / "records.jsonl", read_records(fixture("record", 1)))
    assert (tmp_path / "records.jsonl").read_bytes() == fixture("record", 2).read_bytes()


def test_the_committed_results_of_version_1_are_still_read() -> None:
    results = ROOT / "results" / "fashion_mnist_pilot"
    lines = (results / "records.jsonl").read_text(encoding="utf-8").splitlines()
    records = read_records(results)
    assert [record.key for record in records] == [json.loads(line)["key"] for line in lines]
    assert len(records) == len(read_manifest(results).keys) == 21


@pytest.mark.parametrize("version", [1, 2])
def test_a_damaged_line_is_named_and_the_file_left_as_it_is(version: int, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    lines = fixture("record", version).read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], lines[1][:700] + b"\n", lines[2]]))
    before = file.read_bytes()
    with pytest.raises(ResultsError) as caught:
        read_records(tmp_path)
    assert str(caught.value).startswith(f"{file}:2: not a record (JSONDecodeError: ")
    assert str(caught.value).endswith(
        "The file is left as it is: `msanet-bench sweep` writes it again from the journal; where there is "
        "none, bring back a whole copy, or remove the line to go on without its cell."
    )
    assert file.read_bytes() == before
    # what the message says helps
    file.write_bytes(lines[0] + lines[2])
    assert read_records(tmp_path) == [read_records(fixture("record", 2))[number] for number in (0, 2)]


def test_an_attempt_that_names_no_version_is_damage(tmp_path: Path) -> None:
    attempt = Journal(fixture("attempt", 2)).read()[0].to_json()
    del attempt["schema_version"]
    (tmp_path / "journal.jsonl").write_text(json_line(attempt), encoding="utf-8")
    with pytest.raises(ResultsError, match=r":1: not an attempt \(KeyError: 'schema'\)"):
        Journal(tmp_path / "journal.jsonl").read()


def test_an_attempt_comes_back_from_its_own_json() -> None:
    attempt = Journal(fixture("attempt", 1)).read()[0]
    assert Attempt.from_json(json.loads(json_line(attempt.to_json()))) == attempt

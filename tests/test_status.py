"""What became of every planned cell, from the journal while there is one, else from the records."""

import json
from pathlib import Path

import pytest

from commands import run_verb
from msanet_bench.errors import ResultsError
from msanet_bench.journal import Attempt, Journal
from msanet_bench.records import Record, Status, write_records
from msanet_bench.status import Failure, VariantStatus, read_status


def record(key: str, status: Status, reason: str = "") -> Record:
    return Record(key=key, variant="?", factors={}, seed=0, replicate=0, status=status, reason=reason)


RECORDS = [record("k0", "ok"), record("k2", "oom", "no memory"), record("elsewhere", "ok")]
EXPECTED = (
    VariantStatus("baseline", {"ok": 1, "missing": 1}, ()),
    VariantStatus(
        "attention=none", {"oom": 1, "missing": 0}, (Failure("attention=none", 0, "oom", "no memory"),)
    ),
)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    cells = [("k0", "baseline", 0), ("k2", "attention=none", 0), ("k1", "baseline", 1)]
    planned = [{"key": key, "variant": variant, "seed": seed} for key, variant, seed in cells]
    manifest = {"schema_version": 2, "cells": planned}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return tmp_path


def test_a_committed_folder_is_read_from_its_records(results: Path) -> None:
    write_records(results / "records.jsonl", RECORDS)
    assert read_status(results, now=0.0).variants == EXPECTED


def test_while_there_is_a_journal_it_is_the_truth(results: Path) -> None:
    write_records(results / "records.jsonl", [])
    journal = Journal(results / "journal.jsonl")
    for number, tried in enumerate([record("k0", "failed", "once"), *RECORDS]):
        journal.append(Attempt(tried, float(number), 1.0, None, None, "cpu", "here"))
    assert read_status(results, now=0.0).variants == EXPECTED


def test_every_planned_cell_is_counted_once(results: Path) -> None:
    write_records(results / "records.jsonl", RECORDS)
    counts = [status.counts for status in read_status(results, now=0.0).variants]
    assert sum(sum(count.values()) for count in counts) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "manifest.json: cannot be read (No such file or directory). Run `msanet-bench sweep` first."),
        ("{", "manifest.json: not a manifest (JSONDecodeError: "),
        ("{}", "manifest.json: not a manifest (KeyError: 'schema')."),
        ('{"schema_version": 2}', "manifest.json: not a manifest (KeyError: 'cells')."),
        ('{"schema": 1, "cells": [3]}', "manifest.json: not a manifest (TypeError: "),
    ],
)
def test_a_folder_without_a_plan_is_one_message(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(ResultsError) as caught:
        read_status(tmp_path, now=0.0)
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_cells_of_other_shards_are_not_missing_here(results: Path) -> None:
    path = results / "manifest.json"
    shard = {"shard": {"index": 2, "count": 2}}
    path.write_text(json.dumps(json.loads(path.read_text()) | shard), encoding="utf-8")
    write_records(results / "records.jsonl", [])
    look = read_status(results, now=0.0)
    assert look.variants == (
        VariantStatus("baseline", {"missing": 1, "elsewhere": 1}),
        VariantStatus("attention=none", {"missing": 0, "elsewhere": 1}),
    )
    assert (look.state, look.cells, look.missing, look.elsewhere) == ("stopped", 1, 1, 2)
    write_records(results / "records.jsonl", [record("k1", "ok")])
    look = read_status(results, now=0.0)
    assert (look.state, look.cells, look.missing, look.elsewhere) == ("done", 1, 0, 2)
    # a cell of another shard that was trained here all the same counts
    write_records(results / "records.jsonl", RECORDS)
    assert read_status(results, now=0.0).cells == 3


def test_a_shard_has_a_column_more(results: Path) -> None:
    write_records(results / "records.jsonl", RECORDS)
    assert "elsewhere" not in run_verb("status", results, cwd=results).out
    path = results / "manifest.json"
    shard = {"shard": {"index": 1, "count": 2}}
    path.write_text(json.dumps(json.loads(path.read_text()) | shard), encoding="utf-8")
    rows = [line.split() for line in run_verb("status", results, cwd=results).out.splitlines()]
    assert rows[0][-2:] == ["missing", "elsewhere"]
    assert rows[1][-2:] == ["0", "1"]
    assert "1 belong to other shards" in run_verb("status", results, "--watch", cwd=results).out


def test_a_shard_that_is_none_is_one_message(results: Path) -> None:
    path = results / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"shard": {"index": 3, "count": 2}}))
    with pytest.raises(ResultsError, match=r"not a manifest \(ValueError: no shard"):
        read_status(results, now=0.0)


def test_what_is_no_failure_for_a_sweep_is_none_here(results: Path) -> None:
    path = results / "manifest.json"
    tried = [{"variant": "baseline", "candidate": n, "key": f"t{n}"} for n in range(3)]
    tuning = {"tuning": {"seed": 1000, "cells": tried, "untuned": []}}
    path.write_text(json.dumps(json.loads(path.read_text()) | tuning), encoding="utf-8")
    statuses: dict[str, Status] = {
        "k0": "pruned",
        "k1": "diverged",
        "t0": "diverged",
        "t1": "oom",
        "t2": "ok",
    }
    write_records(results / "records.jsonl", [record(key, status) for key, status in statuses.items()])
    failures = read_status(results, now=0.0).failures
    assert [(failure.variant, failure.status) for failure in failures] == [
        ("baseline", "diverged"),
        ("baseline (tuning)", "oom"),
    ]

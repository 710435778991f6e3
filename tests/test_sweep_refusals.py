"""Folders that a sweep cannot go on with, by the plain command: one message, exit code 2, nothing damaged."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import msanet_bench.sweep.pace
from commands import run_verb
from experiments import write_experiment
from msanet_bench.records import read_records
from sweeps import contents, copied, quiet
from test_journal import held_by_another

__all__ = ["quiet"]

Spoil = Callable[[Path], None]


def with_line(place: int, line: bytes) -> Spoil:
    def spoil(results: Path) -> None:
        journal = results / "journal.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        lines.insert(place, line)
        journal.write_bytes(b"".join(lines))

    return spoil


def newer(results: Path) -> None:
    journal = results / "journal.jsonl"
    text = journal.read_bytes()
    journal.write_bytes(text.replace(b'{"schema_version":2,', b'{"schema_version":9,', 1)[:-20])


def a_folder(results: Path) -> None:
    (results / "journal.jsonl").unlink()
    (results / "journal.jsonl").mkdir()


REFUSALS: dict[str, tuple[Spoil, str]] = {
    "binary": (with_line(2, b"\x00\xff\xfe\n"), "journal.jsonl:3: not an attempt (UnicodeDecodeError: "),
    "another JSON": (with_line(0, b'{"trial":1}\n'), "journal.jsonl:1: not an attempt (KeyError: "),
    "not JSON": (with_line(6, b"accuracy 0.9\n"), "journal.jsonl:7: not an attempt (JSONDecodeError: "),
    "newer": (newer, "journal.jsonl:1: written by a newer msanet-bench ("),
    "a folder": (a_folder, "journal.jsonl: the system refuses (Is a directory)."),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_journal_that_cannot_be_read_is_left_as_it_is(quiet: Path, tmp_path: Path, case: str) -> None:
    _, results = copied(quiet, tmp_path)
    spoil, message = REFUSALS[case]
    spoil(results)
    before = contents(results)
    outcome = run_verb("sweep", "tiny.yaml", "--results", results, cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{results}/{message}"), outcome.err
    assert outcome.err.count("\n") == 1
    assert contents(results) == before


def test_a_folder_that_another_sweep_holds_is_left_as_it_is(quiet: Path, tmp_path: Path) -> None:
    _, results = copied(quiet, tmp_path)
    before = contents(results)
    with held_by_another(results) as other:
        outcome = run_verb("sweep", "tiny.yaml", "--results", results, cwd=tmp_path)
        other.kill()
    holder = f"process {other.pid} on {os.uname().nodename}"
    assert outcome.code == 2
    assert outcome.err == f"{results}: in use by {holder}. Wait for it to end, or stop it.\n"
    assert contents(results) == before


def test_a_file_in_place_of_the_folder_and_a_folder_that_may_not_be_made(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    (tmp_path / "file").write_text("mine")
    for place, reason in {"file": "File exists", "file/below": "Not a directory"}.items():
        outcome = run_verb("sweep", "tiny.yaml", "--results", place, cwd=tmp_path)
        assert (outcome.code, outcome.err) == (
            2,
            f"{place}: cannot be written ({reason}). Mend that, or choose another folder by --results.\n",
        )
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "reports").exists()


@pytest.mark.slow
def test_what_a_deadline_left_is_trained_by_the_same_command(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(quiet / "tiny.yaml", tmp_path)
    path = write_experiment(tmp_path, measure="measure: {latency_rounds: 0}")
    # two hours pass while the first two cells begin
    clock = iter([0, 0])
    late = SimpleNamespace(time=lambda: time.time() + next(clock, 7200))
    with monkeypatch.context() as patch:
        patch.setattr(msanet_bench.sweep.pace, "time", late)
        deadline = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() + 3600))
        outcome = run_verb("sweep", path.name, "--workers", "2", "--deadline", deadline, cwd=tmp_path)
    assert outcome.code == 1, outcome.err
    assert "4 of 6 cells have not begun. Give the same command again to go on." in outcome.out
    assert len(read_records(tmp_path / "results" / "tiny")) == 2
    again = run_verb("sweep", path.name, "--workers", "2", cwd=tmp_path)
    assert again.code == 0, again.err
    assert "= 6 cells, 2 done" in again.out
    records = (tmp_path / "results" / "tiny" / "records.jsonl").read_bytes()
    assert records == (quiet / "results" / "records.jsonl").read_bytes()

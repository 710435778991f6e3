"""The journal: what is told is on the disk, what is torn is cut, and one process writes."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from io import FileIO
from pathlib import Path

import pytest

from msanet_bench.errors import ResultsError
from msanet_bench.journal import Attempt, Journal, final_attempts, final_records, no_writer, sole_writer
from msanet_bench.records import Record, Status


def attempt(key: str = "aa", status: Status = "ok", traceback: str = "") -> Attempt:
    record = Record(key=key, variant="baseline", factors={}, seed=0, replicate=0, status=status)
    return Attempt(
        record=record,
        started=1.5,
        seconds=2.5,
        train_seconds=None,
        evaluate_seconds=0.5,
        device="cpu",
        host="here",
        traceback=traceback,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    filled = Journal(tmp_path / "journal.jsonl")
    filled.append(attempt("aa"))
    filled.append(attempt("bb", "failed", 'File "x.py", line 1\n\u2028\udcff\n'))
    return filled


def test_attempts_come_back_in_their_order(journal: Journal) -> None:
    assert journal.read() == [attempt("aa"), attempt("bb", "failed", 'File "x.py", line 1\n\u2028\udcff\n')]
    assert journal.path.read_bytes().count(b"\n") == 2


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert (journal.read(), journal.repair(), journal.path.exists()) == ([], 0, False)


@pytest.mark.parametrize("cut", [1, 7, 50])
def test_a_torn_last_line_is_left_out_then_cut_off_and_counted(cut: int, journal: Journal) -> None:
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-cut])
    assert journal.read() == [attempt("aa")]
    lost = len(content) - cut - len(content.split(b"\n")[0]) - 1
    assert (journal.repair(), journal.repair()) == (lost, 0)
    journal.append(attempt("cc"))
    assert [tried.record.key for tried in journal.read()] == ["aa", "cc"]


def test_without_the_repair_a_torn_line_would_damage_the_next(journal: Journal) -> None:
    journal.path.write_bytes(journal.path.read_bytes()[:-1])
    journal.append(attempt("cc"))
    with pytest.raises(ResultsError, match=r":2: not an attempt"):
        journal.read()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"schema":1,', "JSONDecodeError"),
        (b"{}", "KeyError"),
        (b"7", "TypeError"),
        (b'"\xff"', "UnicodeDecodeError"),
        (b'{"schema":1,"record":[]}', "TypeError"),
    ],
)
def test_a_damaged_line_before_the_last_is_named(line: bytes, kind: str, journal: Journal) -> None:
    first, second, _ = journal.path.read_bytes().split(b"\n")
    journal.path.write_bytes(b"\n".join([first, line, second, b""]))
    with pytest.raises(ResultsError) as caught:
        journal.read()
    assert str(caught.value).startswith(f"{journal.path}:2: not an attempt ({kind}: ")
    assert str(caught.value).endswith(
        "The file is left as it is: mend the line, or remove it to train its cell again."
    )


def test_a_newer_schema_is_refused(journal: Journal) -> None:
    newer = journal.path.read_text(encoding="utf-8").replace(
        '{"schema_version":2,', '{"schema_version":99,', 1
    )
    journal.path.write_text(newer, encoding="utf-8")
    with pytest.raises(
        ResultsError, match=r":1: written by a newer msanet-bench \(attempt of schema version 99, this"
    ):
        journal.read()


def test_an_attempt_is_on_the_disk_before_anybody_is_told(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_the_disk: list[int] = []

    def fsync(descriptor: int) -> None:
        assert os.path.samestat(os.fstat(descriptor), journal.path.stat())
        on_the_disk.append(len(journal.read()))

    monkeypatch.setattr(os, "fsync", fsync)
    journal.append(attempt("cc"))
    assert on_the_disk == [3]


def test_the_name_of_a_new_journal_is_on_the_disk_before_its_first_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[Path, int]] = []
    journal = Journal(tmp_path / "journal.jsonl")

    def fsync(descriptor: int) -> None:
        path = next(p for p in (tmp_path, journal.path) if os.path.samestat(os.fstat(descriptor), p.stat()))
        synced.append((path, len(journal.read())))

    monkeypatch.setattr(os, "fsync", fsync)
    journal.append(attempt("aa"))
    journal.append(attempt("bb"))
    assert synced == [(tmp_path, 0), (journal.path, 1), (journal.path, 2)]


class FullDisk(FileIO):
    """Takes the first half of a line, then says that there is no space."""

    written = 0

    def write(self, data: bytes) -> int:
        if self.written:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.written = len(data) // 2
        return super().write(data[: self.written])


class SlowDisk(FileIO):
    """Takes ten bytes at a time, as the kernel may."""

    def write(self, data: bytes) -> int:
        return super().write(data[:10])


def opened_by(disk: type[FileIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", lambda path, mode, **_: disk(path, mode.replace("b", "")))


def test_a_line_that_does_not_fit_is_taken_back(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    before = journal.path.read_bytes()
    with monkeypatch.context() as patch:
        opened_by(FullDisk, patch)
        with pytest.raises(ResultsError) as caught:
            journal.append(attempt("cc"))
    assert str(caught.value) == (
        f"{journal.path}: cannot be written (No space left on device). Nothing is lost up to here: "
        "make room and run the same command again."
    )
    assert journal.path.read_bytes() == before
    journal.append(attempt("cc"))
    assert len(journal.read()) == 3


def test_a_line_that_is_taken_in_parts_is_whole(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        opened_by(SlowDisk, patch)
        journal.append(attempt("cc"))
    assert journal.read()[-1] == attempt("cc")


@pytest.mark.parametrize(
    ("statuses", "final"),
    [
        (["ok", "failed"], "ok"),
        (["failed", "ok", "ok"], "ok"),
        (["failed", "oom"], "oom"),
        (["diverged"], "diverged"),
    ],
)
def test_the_first_good_attempt_counts_else_the_last(statuses: list[Status], final: Status) -> None:
    tries = [replace(attempt("aa", status), started=float(number)) for number, status in enumerate(statuses)]
    assert final_records(tries)["aa"].status == final
    counted = final_attempts(tries)["aa"]
    assert counted.started == (statuses.index("ok") if "ok" in statuses else len(statuses) - 1)


HOLDER = """
import sys
from pathlib import Path
from msanet_bench.journal import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def held_by_another(folder: Path) -> subprocess.Popen[str]:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def test_a_second_writer_is_told_who_holds_the_folder_until_that_one_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    with held_by_another(folder) as other:
        with pytest.raises(ResultsError) as caught, sole_writer(folder):
            pass
        other.send_signal(signal.SIGKILL)
    assert str(caught.value) == (
        f"{folder}: in use by process {other.pid} on {os.uname().nodename}. Wait for it to end, or stop it."
    )
    with sole_writer(folder):
        assert (folder / "lock").read_text(encoding="utf-8").startswith(f"process {os.getpid()} on ")


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    message = r"file/results: cannot be written \(Not a directory\)\. Mend that, or choose another folder"
    with pytest.raises(ResultsError, match=message), sole_writer(tmp_path / "file" / "results"):
        pass


def test_a_disk_that_does_not_take_the_holders_name_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    message = r"/lock: cannot be written \(No space left on device\)\. Nothing is lost up to here: make room"
    with pytest.raises(ResultsError, match=message), sole_writer(tmp_path):
        pass


@pytest.mark.parametrize("hold", [sole_writer, no_writer])
def test_a_file_system_without_locks_is_not_told_as_another_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: Callable[[Path], AbstractContextManager[None]]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "lock").write_text("process 1 on elsewhere")
    monkeypatch.setattr(fcntl, "lockf", refuse)
    message = r"/lock: cannot be locked \(No locks available\)\. Results need a file system on which"
    with pytest.raises(ResultsError, match=message), hold(tmp_path):
        pass

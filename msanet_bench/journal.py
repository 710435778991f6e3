"""The journal: one line an attempt, flushed to the disk before anybody is told. The truth of a sweep.

A line that a crash tore in half can only be the last one; it is cut off before the next line is written.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any, TextIO

from msanet_bench.errors import ResultsError
from msanet_bench.migrations import migrated, newest
from msanet_bench.records import Record, Status, json_fields, json_line, numbered_lines, sync


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a cell.

    Attributes:
        record: What the cell says of itself; every attempt that ended has one.
        started: Seconds since the epoch.
        train_seconds: Training alone; None when it did not finish.
        evaluate_seconds: Evaluation on the test images.
        seconds: The whole attempt as the worker saw it, building included.
        traceback: Where it failed; records do not keep it, since it holds paths.
    """

    record: Record
    started: float
    seconds: float
    train_seconds: float | None
    evaluate_seconds: float | None
    device: str
    host: str
    traceback: str = ""

    def to_json(self) -> dict[str, Any]:
        times = asdict(self)
        del times["record"]
        return {"schema_version": newest("attempt"), **times, "record": self.record.to_json()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Attempt":
        """An attempt from fields of the newest version, its record's too."""
        times = {name: value for name, value in fields.items() if name not in {"schema_version", "record"}}
        return cls(record=Record.from_json(fields["record"]), **times)


class Journal:
    """An append-only file of attempts with a single writer."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Attempt]:
        """Every whole attempt, older ones migrated; a torn last line is left out.

        Raises:
            ResultsError: a line before the last one is damaged, or a line is of a newer schema.
        """
        if not self.path.exists():
            return []
        return self.parse(self.path.read_bytes())

    def parse(self, content: bytes, *, lines_before: int = 0) -> list[Attempt]:
        """The attempts of the whole lines of a part of the file; `lines_before` it are for messages.

        Raises:
            ResultsError: as `read`.
        """
        whole = BytesIO(content[: whole_length(content)])
        return [self._attempt(lines_before + number, line) for number, line in numbered_lines(whole)]

    def torn(self) -> int:
        """How many bytes of a torn last line there are."""
        content = self.path.read_bytes() if self.path.exists() else b""
        return len(content) - whole_length(content)

    def repair(self) -> int:
        """Cut off a torn last line; how many bytes were lost.

        Raises:
            ResultsError: the disk refuses.
        """
        return cut_off_torn(self.path)

    def append(self, attempt: Attempt) -> None:
        """Add one line and wait until it is on the disk; a line that does not fit is taken back.

        Raises:
            ResultsError: the disk refuses; the journal is as it was before.
        """
        append_durably(self.path, json_line(attempt.to_json()).encode("utf-8"))

    def _attempt(self, number: int, line: bytes) -> Attempt:
        place = f"{self.path}:{number}"
        try:
            fields = migrated("attempt", place, json_fields(line))
            record = migrated("record", place, fields["record"])
            return Attempt.from_json({**fields, "record": record})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultsError(
                f"{place}: not an attempt ({type(error).__name__}: {error}). The file is left as it is: "
                "mend the line, or remove it to train its cell again."
            ) from error


def final_attempts(attempts: Iterable[Attempt]) -> dict[str, Attempt]:
    """What counts for each cell, by its key: its first good attempt, else its last.

    A cell that other code trained before and that was run again counts as the later code left it.
    """
    final: dict[str, Attempt] = {}
    for attempt in attempts:
        record = attempt.record
        known = final.get(record.key)
        if known is None or gives_way(known.record.status, code_of(known.record), code_of(record)):
            final[record.key] = attempt
    return final


def gives_way(status: Status, code: object, later_code: object) -> bool:
    """Whether an attempt that ended so, of this code, counts no more once there is a later one."""
    return status != "ok" or code != later_code


def code_of(record: Record) -> object:
    """The digest of the code that trained a cell."""
    return record.provenance.get("code")


def final_records(attempts: Iterable[Attempt]) -> dict[str, Record]:
    """The records of `final_attempts`."""
    return {key: attempt.record for key, attempt in final_attempts(attempts).items()}


def cut_off_torn(path: Path) -> int:
    """Cut off the last line of a file if it is torn, for good; how many bytes were lost.

    Raises:
        ResultsError: the disk refuses.
    """
    content = path.read_bytes() if path.exists() else b""
    length = whole_length(content)
    if length < len(content):
        with _writing(path), path.open("r+b") as file:
            file.truncate(length)
            os.fsync(file.fileno())
    return len(content) - length


def append_durably(path: Path, line: bytes) -> None:
    """Add a line to a file and wait until both are on the disk; a line that does not fit is taken back.

    Raises:
        ResultsError: the disk refuses; the file has the lines that it had before.
    """
    with _writing(path):
        if not path.exists():
            path.touch()
            sync(path.parent)
        # unbuffered: a buffer would try again when the file is closed, behind the line that is taken back
        with path.open("ab", buffering=0) as file:
            append_line(file, line)


def append_line(file: FileIO, line: bytes) -> None:
    """Write a whole line and wait until it is on the disk, or leave the file as it was.

    Raises:
        OSError: the disk refuses.
    """
    before = file.tell()
    try:
        rest = line
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    except OSError:
        file.truncate(before)
        raise


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a results folder for one sweep; the kernel lets go of it however the process ends.

    Raises:
        ResultsError: another sweep holds it, or the folder cannot be written or locked.
    """
    path = folder / "lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ResultsError(
            f"{folder}: cannot be written ({error.strerror}). "
            "Mend that, or choose another folder by --results."
        ) from error
    with file:
        _lock(file, fcntl.LOCK_EX, folder)
        _name_holder(file, path)
        yield


def _name_holder(file: TextIO, path: Path) -> None:
    """Say who holds the folder; past the buffer, which would try again when the file is closed."""
    with _writing(path):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"process {os.getpid()} on {socket.gethostname()}\n".encode())


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResultsError(
            f"{path}: cannot be written ({error.strerror}). Nothing is lost up to here: "
            "make room and run the same command again."
        ) from error


@contextmanager
def no_writer(folder: Path) -> Iterator[None]:
    """Keep sweeps out of a results folder while it is read; nothing is written to it.

    Raises:
        ResultsError: a sweep holds it, or it cannot be locked.
    """
    path = folder / "lock"
    if not path.exists():
        # a copy without the lock: no sweep has ever held it
        yield
        return
    with path.open(encoding="utf-8") as file:
        _lock(file, fcntl.LOCK_SH, folder)
        yield


def _lock(file: TextIO, kind: int, folder: Path) -> None:
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EAGAIN}:
            raise ResultsError(
                f"{folder}/lock: cannot be locked ({error.strerror}). Results need a file system on which "
                "files can be locked: choose a folder elsewhere, or have its locks mended."
            ) from error
        file.seek(0)
        holder = file.read().strip() or "another process"
        raise ResultsError(f"{folder}: in use by {holder}. Wait for it to end, or stop it.") from error


def whole_length(content: bytes) -> int:
    """How many bytes belong to lines that are whole."""
    return content.rfind(b"\n") + 1

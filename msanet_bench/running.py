"""What a sweep does right now: a small file that it rewrites, and a lock that only a living sweep holds.

The journal holds attempts that ended; who is at work stands here, for those who watch. It is no truth: it may
be lost at any time, and without the lock it is what a killed sweep left behind.
"""

import contextlib
import fcntl
import json
import os
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

# what follows a variant's name where it is trained to be tuned, and as it is without tuning
TUNING, UNTUNED = " (tuning)", " (untuned)"

_FILES = ("running.json", ".running.json.new")
# struct flock of Linux: type, whence, start, length, process
_FLOCK = "hhqqi"


@dataclass(frozen=True, slots=True)
class RunningCell:
    """A cell that a slot has; `slot` counts from 0, `since` in seconds since the epoch."""

    variant: str
    seed: int
    slot: int
    since: float


def write_running(results: Path, cells: Iterable[RunningCell]) -> None:
    """Say what runs; readers see the old file or the new one, never a part.

    A disk that refuses is not told here: the next line of the journal meets it, and that one counts.
    """
    path, new = (results / name for name in _FILES)
    with contextlib.suppress(OSError):
        new.write_text(json.dumps([asdict(cell) for cell in cells]) + "\n", encoding="utf-8")
        new.replace(path)


def forget_running(results: Path) -> None:
    """Nothing runs any more, and what a sweep that was killed has half written is gone."""
    for name in _FILES:
        with contextlib.suppress(OSError):
            (results / name).unlink(missing_ok=True)


def read_running(results: Path) -> tuple[RunningCell, ...]:
    """What a living sweep says that it does, slot by slot; nothing where no sweep holds the folder."""
    if not is_held(results):
        return ()
    try:
        cells = json.loads((results / "running.json").read_text(encoding="utf-8"))
        return tuple(sorted((RunningCell(**cell) for cell in cells), key=lambda cell: cell.slot))
    except (OSError, ValueError, TypeError):
        return ()


def free_slot(cells: Iterable[RunningCell]) -> int:
    """The lowest number that no running cell has."""
    taken = {cell.slot for cell in cells}
    return next(slot for slot in range(len(taken) + 1) if slot not in taken)


def log_file(results: Path, key: str) -> Path:
    """Where a cell's output goes, if it is kept."""
    return results / "logs" / f"{key}.log"


def named_log(results: Path, key: str) -> str:
    """The file with a cell's output, to be named beside its failure; "" where it has left none."""
    path = log_file(results, key)
    return str(path) if path.exists() and path.stat().st_size else ""


def is_held(results: Path) -> bool:
    """Whether a sweep holds the folder, asked without taking its lock for a moment.

    Not for the process that holds it: one's own locks are no obstacle, and closing the file gives them up.
    """
    try:
        file = os.open(results / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    finally:
        os.close(file)
    found: int = struct.unpack(_FLOCK, answer)[0]
    return found != fcntl.F_UNLCK

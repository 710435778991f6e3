"""Sweeps that are killed, and what must be true of their folder after each kill and at the end."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import psutil

from commands import Outcome

DRIVER = Path(__file__).parent / "torture_driver.py"
SAME = ("records.jsonl", "results.csv", "manifest.json", "profile.json")
# the kernel ends the children when it closes the coordinator's pipes
SECONDS_TO_DIE = 20


class Strike(NamedTuple):
    """What happens at the n-th passage of a named point: a kill, alone or with everybody; or a full disk."""

    point: str
    number: int = 1
    everybody: bool = False
    full: bool = False


@dataclass
class Sweeps:
    """The same command again and again in one folder.

    Attributes:
        twin: How the program is spoiled; "" if it is not.
        deaths: How many workers die when they begin to train a cell.
        kills: Of the coordinator, so far.
    """

    folder: Path
    driver: subprocess.Popen[str]
    twin: str = ""
    options: tuple[str, ...] = ()
    deaths: int = 0
    kills: int = 0

    @property
    def results(self) -> Path:
        return self.folder / "results" / "tiny"

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    def begin(self, strike: Strike | None = None) -> int:
        """Start the command; the number of its process, which leads a session."""
        asked = {
            "folder": str(self.folder),
            "arguments": ["sweep", "tiny.yaml", "--workers", "2", *self.options],
            "point": strike.point if strike else "",
            "number": strike.number if strike else 0,
            "everybody": bool(strike and strike.everybody),
            "twin": self.twin,
            "full": bool(strike and strike.full),
            "deaths": self.deaths,
        }
        pipe(self.driver.stdin).write(json.dumps(asked) + "\n")
        pipe(self.driver.stdin).flush()
        process = int(pipe(self.driver.stdout).readline())
        while os.getsid(process) != process:  # it was forked just now
            time.sleep(0.001)
        return process

    def end(self, session: int) -> int:
        """The exit code, once nobody of the session is left."""
        code = int(pipe(self.driver.stdout).readline())
        require_nobody_left(session)
        return code

    def outcome(self, *options: str) -> Outcome:
        """How the command ends with these options; what it printed and its errors are one text."""
        self.options = options
        code = self.end(self.begin())
        return Outcome(code, self.output, "")

    def struck(self, strike: Strike) -> None:
        """The command is killed where it should be, and what it leaves is in order."""
        code = self.end(self.begin(strike))
        assert code == -signal.SIGKILL, (strike, code, self.output)
        self.kills += 1
        require_order(self.results)

    def refused(self, strike: Strike, file: str) -> None:
        """The command meets a full disk, names the file and what to do, and leaves all in order."""
        before = attempts(self.results)
        code = self.end(self.begin(strike._replace(full=True)))
        assert code == 2, (strike, code, self.output)
        last = self.output.splitlines()[-1]
        assert last.startswith(f"{file}: cannot be written (No space left on device)."), (strike, self.output)
        assert "the same command again" in last
        assert "Traceback" not in self.output
        assert attempts(self.results)[: len(before)] == before
        require_order(self.results)

    def finish(self, quiet: Path) -> None:
        """The command comes to its end with the bytes of a quiet run."""
        code = self.end(self.begin())
        assert code == 0, self.output
        require_equal(self.results, quiet)


@contextmanager
def driver() -> Iterator[subprocess.Popen[str]]:
    """A process that has imported everything and runs what it is asked."""
    command = [sys.executable, str(DRIVER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        pipe(process.stdin).close()


def members(session: int) -> list[psutil.Process]:
    """Who lives of a session."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def workers(session: int) -> list[psutil.Process]:
    """The children of the fork server, which is a child of the coordinator."""
    living = members(session)
    servers = [process.pid for process in living if _parent(process) == session]
    return [process for process in living if _parent(process) in servers]


def require_nobody_left(session: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_DIE
    while living := members(session):
        assert time.monotonic() < deadline, living
        time.sleep(0.01)


def attempts(results: Path) -> list[dict[str, str]]:
    """Key and status of each whole line of the journal, read without the program's help."""
    path = results / "journal.jsonl"
    *lines, _ = path.read_bytes().split(b"\n") if path.exists() else [b""]
    return [json.loads(line)["record"] for line in lines]


def trials(results: Path) -> list[tuple[str, str]]:
    """State and cell key of each trial, from a copy of the study: a look must not mend it."""
    with tempfile.TemporaryDirectory() as folder:
        for file in results.glob("study.db*"):
            shutil.copy(file, folder)
        with contextlib.closing(sqlite3.connect(Path(folder) / "study.db")) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            return list(database.execute(TRIALS)) if tables >= {"trials", "trial_user_attributes"} else []


TRIALS = """
SELECT trials.state, COALESCE(json_extract(attributes.value_json, '$'), '')
FROM trials LEFT JOIN trial_user_attributes AS attributes
ON attributes.trial_id = trials.trial_id AND attributes.key = 'cell_key'
"""


def require_order(results: Path) -> None:
    """Nothing is twice, and Optuna knows of no result that is not in the journal."""
    good = Counter(each["key"] for each in attempts(results) if each["status"] == "ok")
    assert set(good.values()) <= {1}, good
    told = Counter(key for state, key in trials(results) if state == "COMPLETE")
    assert set(told.values()) <= {1}, told
    assert told.keys() <= good.keys(), "Optuna was told of a cell that the journal does not have"


def require_equal(results: Path, quiet: Path) -> None:
    """Every cell once, the bytes of a quiet run, and nothing that says that somebody was killed."""
    require_order(results)
    planned = Counter(each["key"] for each in json.loads((quiet / "manifest.json").read_text())["cells"])
    assert Counter(each["key"] for each in attempts(results) if each["status"] == "ok") == planned
    assert Counter(key for state, key in trials(results) if state == "COMPLETE") == planned
    assert {state for state, _ in trials(results)} <= {"COMPLETE", "FAIL"}
    for name in SAME:
        assert (results / name).read_bytes() == (quiet / name).read_bytes(), name
    ours, theirs = (sorted(file.name for file in folder.iterdir()) for folder in (results, quiet))
    assert ours == theirs


def _parent(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.ppid()
    return 0


def pipe(end: IO[str] | None) -> IO[str]:
    assert end is not None
    return end

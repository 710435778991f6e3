"""Runs sweeps that kill themselves, or find the disk full, at a named point; `torture.py` starts it.

Each line on standard input asks for one command; it is run in a fork of this process, which has imported all
that a sweep needs. The fork server of that sweep is a fork too, for the same reason.
"""

import contextlib
import errno
import importlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from io import FileIO
from multiprocessing import util
from pathlib import Path
from typing import Any, NamedTuple

from msanet_bench.cli import main
from msanet_bench.executors import PRELOAD

Hook = Callable[..., Any]

HEAVY = ("msanet_bench.sweep", "msanet_bench.report", "msanet_bench.console", "msanet_bench.checks", *PRELOAD)
FORK_SERVER = "from multiprocessing.forkserver import main"


class Countdown:
    """True at the n-th question of this process; of a child, never."""

    def __init__(self, number: int) -> None:
        self._left, self._process = number, os.getpid()

    def is_over(self) -> bool:
        if os.getpid() != self._process:
            return False
        self._left -= 1
        return self._left == 0


class Point(NamedTuple):
    """Where to die: a function, and a hook `(original, countdown, die, *arguments)` in its place."""

    module: str
    name: str
    hook: Hook


def always(*_: Any, **__: Any) -> bool:
    return True


def before(matches: Callable[..., bool] = always) -> Hook:
    def hook(original: Hook, countdown: Countdown, die: Hook, *arguments: Any, **options: Any) -> Any:
        if matches(*arguments, **options) and countdown.is_over():
            die()
        return original(*arguments, **options)

    return hook


def after(matches: Callable[..., bool] = always) -> Hook:
    def hook(original: Hook, countdown: Countdown, die: Hook, *arguments: Any, **options: Any) -> Any:
        answer = original(*arguments, **options)
        if matches(*arguments, **options) and countdown.is_over():
            die()
        return answer

    return hook


def half_a_line(original: Hook, countdown: Countdown, die: Hook, file: FileIO, line: bytes) -> None:
    if countdown.is_over():
        file.write(line[: len(line) // 2])
        die()
    original(file, line)


def half_a_file(name: str) -> Hook:
    def hook(original: Hook, countdown: Countdown, die: Hook, path: Path, content: bytes) -> Any:
        if path.name == name and countdown.is_over():
            original(path, content[: len(content) // 2])
            die()
        return original(path, content)

    return hook


def renaming(name: str) -> Hook:
    return before(lambda path, *_: path.name == name)


def is_empty_list(path: Path) -> bool:
    return path.name == ".running.json.new" and path.read_bytes() == b"[]\n"


PATH, OPTUNA, SESSION = "pathlib", "optuna.study", "msanet_bench.session"

POINTS = {
    "half of the manifest": Point(PATH, "Path.write_bytes", half_a_file(".manifest.json.new")),
    "before the manifest is renamed": Point(PATH, "Path.replace", renaming(".manifest.json.new")),
    "half of the profile": Point(PATH, "Path.write_bytes", half_a_file(".profile.json.new")),
    "the study is made": Point("msanet_bench.search.ledger", "Ledger.__init__", after()),
    "while the study is written": Point("sqlalchemy.orm", "Session.flush", after()),
    "a trial is enqueued": Point(OPTUNA, "Study.enqueue_trial", after()),
    "a trial is asked, without its key": Point(OPTUNA, "Study.ask", after()),
    "before submit": Point("msanet_bench.sweep.work", "FinitePlan.next", after()),
    "what runs is written": Point(PATH, "Path.replace", renaming(".running.json.new")),
    "nothing runs any more": Point(PATH, "Path.replace", before(lambda path, _: is_empty_list(path))),
    "a result came": Point("msanet_bench.sweep.train", "_attempt", after()),
    "half a line": Point("msanet_bench.journal", "append_line", half_a_line),
    "before the flush": Point("os", "fsync", before()),
    "after append": Point("msanet_bench.journal", "Journal.append", after()),
    "a death is journaled": Point(
        "msanet_bench.journal", "Journal.append", after(lambda _, attempt: attempt.record.status == "failed")
    ),
    "after tell": Point("msanet_bench.search.ledger", "Ledger.tell", after()),
    "half of the records": Point(PATH, "Path.write_bytes", half_a_file(".records.jsonl.new")),
    "before the records are renamed": Point(PATH, "Path.replace", renaming(".records.jsonl.new")),
    "between two exports": Point("msanet_bench.finished", "write_records", after()),
    "half of a table": Point(PATH, "Path.write_bytes", half_a_file(".results.csv.new")),
    "while latency is measured": Point(SESSION + ".recorder", "Recorder.take_block", after()),
    "before the samples are renamed": Point(PATH, "Path.replace", renaming(".samples.parquet.new")),
    "between samples and tables": Point(SESSION + ".files", "write_session", after()),
    "half of the table of latency": Point(PATH, "Path.write_bytes", half_a_file(".latency.csv.new")),
    "half of the report": Point(PATH, "Path.write_bytes", half_a_file(".report.md.new")),
    "in the report": Point("msanet_bench.report", "write_report", before()),
}


def install(point: Point, countdown: Countdown, die: Hook) -> None:
    _replace(point.module, point.name, lambda original: _hooked(point.hook, original, countdown, die))


def _hooked(hook: Hook, original: Hook, countdown: Countdown, die: Hook) -> Hook:
    return lambda *arguments, **options: hook(original, countdown, die, *arguments, **options)


def _replace(module: str, name: str, change: Callable[[Hook], Hook]) -> None:
    *owner, attribute = name.split(".")
    place: Any = importlib.import_module(module)
    for part in owner:
        place = getattr(place, part)
    setattr(place, attribute, change(getattr(place, attribute)))


def let_workers_die(deaths: int, folder: Path) -> None:
    """So many workers are killed when they begin to train a cell, once each in the life of a folder."""

    def dying(fit: Hook) -> Hook:
        def fit_or_die(*arguments: Any, **options: Any) -> Any:
            for number in range(deaths):
                with contextlib.suppress(FileExistsError):
                    (folder / f"death-{number}").touch(exist_ok=False)
                    os.kill(os.getpid(), signal.SIGKILL)
            return fit(*arguments, **options)

        return fit_or_die

    _replace("msanet_bench.cell", "fit", dying)


def tell_before_append() -> None:
    """Optuna hears of a cell before it is in the journal."""
    waiting: list[tuple[Any, ...]] = []
    appends: list[Hook] = []

    def put_off(append: Hook) -> Hook:
        appends.append(append)
        return lambda *arguments: waiting.append(arguments)

    def then_append(done: Hook) -> Hook:
        return lambda *arguments: (done(*arguments), appends[0](*waiting.pop(0)))

    _replace("msanet_bench.journal", "Journal.append", put_off)
    _replace("msanet_bench.sweep.work", "FinitePlan.done", then_append)


def append_to_a_buffer() -> None:
    """Lines reach the journal when the sweep ends, as those of a buffered file would."""
    kept: list[Any] = []
    append_line = importlib.import_module("msanet_bench.journal").append_line

    def keep(_: Hook) -> Hook:
        return lambda _, line: kept.append(line)

    def write_first(export: Hook) -> Hook:
        def flush(results: Path, *rest: Any) -> None:
            with (results / "journal.jsonl").open("ab", buffering=0) as file:
                for line in kept:
                    append_line(file, line)
            export(results, *rest)

        return flush

    _replace("msanet_bench.journal", "append_line", keep)
    _replace("msanet_bench.sweep.run", "forget_running", write_first)


def leave_a_torn_line() -> None:
    """A torn last line stays where it is."""
    _replace("msanet_bench.journal", "Journal.repair", lambda _: lambda _: 0)


TWINS = {
    "tell before append": tell_before_append,
    "append to a buffer": append_to_a_buffer,
    "leave a torn line": leave_a_torn_line,
}


def serve() -> None:
    """Answer each line with the process that runs it, and when that has ended with how it did."""
    for module in HEAVY:
        importlib.import_module(module)
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if process == 0:
            run(**asked)
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
        sys.stdout.flush()


def run(
    folder: str,
    arguments: Sequence[str],
    point: str,
    number: int,
    *,
    everybody: bool,
    full: bool,
    deaths: int,
    twin: str,
) -> None:
    """Become the leader of a session, perhaps spoil the program, and run one command."""
    os.setsid()
    os.chdir(folder)
    file = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["msanet-bench", *arguments]
    spawn = util.spawnv_passfds
    util.spawnv_passfds = lambda *command: (_fork if FORK_SERVER in command[1][-1] else spawn)(*command)
    let_workers_die(deaths, Path(folder))
    multiprocessing.set_forkserver_preload(list(PRELOAD))
    importlib.import_module("multiprocessing.forkserver").ensure_running()
    if twin:
        TWINS[twin]()
    if point:
        fall = _find_the_disk_full if full else partial(_kill, everybody=everybody)
        install(POINTS[point], Countdown(number), fall)
    code = 1
    try:
        main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        os._exit(code)


def _find_the_disk_full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _kill(*, everybody: bool) -> None:
    if everybody:
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _fork(_: bytes, command: Sequence[str], kept: Sequence[int]) -> int:
    process = os.fork()
    if process == 0:
        try:
            last = 2
            for descriptor in sorted(kept):
                os.closerange(last + 1, descriptor)
                last = descriptor
            os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))
            exec(command[-1], {})  # noqa: S102 (what multiprocessing would have given to a new interpreter)
        finally:
            os._exit(0)
    return process


if __name__ == "__main__":
    serve()

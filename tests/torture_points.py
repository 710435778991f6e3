"""Named points of a sweep, and how a function there is replaced by one that dies or finds the disk full."""

import importlib
import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

Hook = Callable[..., Any]


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


def is_journal(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").readlink().name == "journal.jsonl"


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
    "before the flush": Point("os", "fsync", before(is_journal)),
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
    replace(point.module, point.name, lambda original: _hooked(point.hook, original, countdown, die))


def _hooked(hook: Hook, original: Hook, countdown: Countdown, die: Hook) -> Hook:
    return lambda *arguments, **options: hook(original, countdown, die, *arguments, **options)


def replace(module: str, name: str, change: Callable[[Hook], Hook]) -> None:
    *owner, attribute = name.split(".")
    place: Any = importlib.import_module(module)
    for part in owner:
        place = getattr(place, part)
    setattr(place, attribute, change(getattr(place, attribute)))

"""A program that is spoiled: workers that die, and sweeps that the torture must see to be wrong."""

import contextlib
import importlib
import os
import signal
from pathlib import Path
from typing import Any

from torture_points import Hook, replace


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

    replace("msanet_bench.cell.run", "fit", dying)


def tell_before_append() -> None:
    """Optuna hears of a cell before it is in the journal."""
    waiting: list[tuple[Any, ...]] = []
    appends: list[Hook] = []

    def put_off(append: Hook) -> Hook:
        appends.append(append)
        return lambda *arguments: waiting.append(arguments)

    def then_append(done: Hook) -> Hook:
        return lambda *arguments: (done(*arguments), appends[0](*waiting.pop(0)))

    replace("msanet_bench.journal", "Journal.append", put_off)
    replace("msanet_bench.sweep.work", "FinitePlan.done", then_append)


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

    replace("msanet_bench.journal", "append_line", keep)
    replace("msanet_bench.sweep.run", "forget_running", write_first)


def leave_a_torn_line() -> None:
    """A torn last line stays where it is."""
    replace("msanet_bench.journal", "Journal.repair", lambda _: lambda _: 0)


TWINS = {
    "tell before append": tell_before_append,
    "append to a buffer": append_to_a_buffer,
    "leave a torn line": leave_a_torn_line,
}

"""A log file a task: what was printed stands in it, whatever became of the task."""
# ruff: noqa: T201 (tasks print)

import ctypes
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from msanet_bench.errors import ResultsError
from msanet_bench.executors import Limits, LocalExecutor, WorkerDied


def _run(task: tuple[str, str]) -> str:
    name, log = task
    return globals()[f"_{name}"](log)


def _print_in_every_way(_: str) -> str:
    print("by print", end="")
    print(" by stderr", file=sys.stderr, end="")
    os.write(1, b" by descriptor")
    ctypes.CDLL(None).printf(b" by printf")
    subprocess.run(["echo", " by echo"], check=True)
    return "answer"


def _print_and_crash(_: str) -> str:
    print("last words", end="")
    ctypes.CDLL(None).printf(b" of C")
    ctypes.string_at(0)
    return "unreachable"


def _print_and_raise(_: str) -> str:
    print("last words")
    raise ValueError("planted")


def _hang_in_c(_: str) -> str:
    ctypes.PyDLL(None).pause()
    time.sleep(600)
    return "unreachable"


def _be_silent(_: str) -> str:
    return "answer"


def _have_the_log_tidied_up(log: str) -> str:
    Path(log).unlink()
    return "answer"


def _print_on_a_full_disk(_: str) -> str:
    resource.setrlimit(resource.RLIMIT_FSIZE, (6, resource.RLIM_INFINITY))
    print("123456789")
    try:
        os.write(1, b"refused")
    except OSError:
        return "the disk refuses"
    return "the disk takes it"


def _nothing() -> None:
    return None


def _is_well(_: object) -> bool:
    return True


Executor = LocalExecutor[tuple[str, str], str]


@pytest.fixture
def executor() -> Iterator[Executor]:
    executor = LocalExecutor(
        _run,
        slots=[{}],
        start=_nothing,
        is_well=_is_well,
        limits=Limits(seconds=30),
        log=lambda task: Path(task[1]),
    )
    yield executor
    executor.close()


def _submit(executor: Executor, name: str, log: Path) -> Any:
    return executor.submit((name, str(log))).result(timeout=60)


def test_what_a_task_prints_in_whatever_way_stands_in_its_log(executor: Executor, tmp_path: Path) -> None:
    log = tmp_path / "made on demand" / "1.log"
    assert _submit(executor, "print_in_every_way", log) == "answer"
    line = "by print by stderr by descriptor by printf by echo\n"
    assert log.read_text() == line
    other = tmp_path / "2.log"
    assert _submit(executor, "print_in_every_way", other) == "answer"
    assert other.read_text() == line
    _submit(executor, "print_in_every_way", log)
    assert log.read_text() == 2 * line


def test_what_a_crashed_child_printed_is_there_with_its_stack(executor: Executor, tmp_path: Path) -> None:
    log = tmp_path / "1.log"
    with pytest.raises(WorkerDied, match="SIGSEGV"):
        _submit(executor, "print_and_crash", log)
    text = log.read_text()
    assert text.startswith("last words of C")
    assert "Segmentation fault" in text
    assert "in _print_and_crash" in text
    assert _submit(executor, "be_silent", tmp_path / "2.log") == "answer"


def test_the_traceback_of_a_function_that_raises_is_in_the_log(executor: Executor, tmp_path: Path) -> None:
    log = tmp_path / "1.log"
    with pytest.raises(WorkerDied, match="exit code 1"):
        _submit(executor, "print_and_raise", log)
    assert log.read_text().startswith("last words\n")
    assert "ValueError: planted" in log.read_text()


def test_a_task_that_hangs_leaves_in_its_log_where(tmp_path: Path) -> None:
    log = tmp_path / "1.log"
    limits = Limits(seconds=1)
    executor = LocalExecutor(
        _run, slots=[{}], start=_nothing, is_well=_is_well, limits=limits, log=lambda task: Path(task[1])
    )
    with pytest.raises(WorkerDied, match="ran longer"):
        _submit(executor, "hang_in_c", log)
    executor.close()
    assert "in _hang_in_c" in log.read_text()


def test_an_empty_log_of_a_task_that_ended_well_is_removed(executor: Executor, tmp_path: Path) -> None:
    assert _submit(executor, "be_silent", tmp_path / "1.log") == "answer"
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_somebody_removes_meanwhile_costs_no_answer(executor: Executor, tmp_path: Path) -> None:
    assert _submit(executor, "have_the_log_tidied_up", tmp_path / "1.log") == "answer"


def test_a_log_that_cannot_be_made_is_one_error_before_the_task_begins(
    executor: Executor, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match=r"file/1\.log: cannot be written \(.*\)\. It takes what a task"):
        _submit(executor, "print_in_every_way", tmp_path / "file" / "1.log")
    assert _submit(executor, "be_silent", tmp_path / "2.log") == "answer"


def test_a_disk_that_is_full_costs_what_is_printed_and_not_the_answer(
    executor: Executor, tmp_path: Path
) -> None:
    log = tmp_path / "1.log"
    assert _submit(executor, "print_on_a_full_disk", log) == "the disk refuses"
    assert log.read_text() == "123456"

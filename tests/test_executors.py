import multiprocessing.context
import multiprocessing.popen_forkserver
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import Future
from multiprocessing import forkserver
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import psutil
import pytest

from msanet_bench.executors import LocalExecutor, WorkerDied


def _double_or_die(task: int) -> tuple[int, int]:
    if task < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if task == 0:
        os._exit(3)
    return 2 * task, os.getpid()


def _nothing() -> None:
    return None


def _is_well(_: object) -> bool:
    return True


@pytest.fixture
def executor() -> Iterator[LocalExecutor[int, tuple[int, int]]]:
    executor = LocalExecutor(_double_or_die, slots=[{}] * 2, start=_nothing, is_well=_is_well)
    yield executor
    executor.close()


def test_every_task_gets_its_answer_from_one_of_two_warm_children(
    executor: LocalExecutor[int, tuple[int, int]],
) -> None:
    answers = [future.result(timeout=60) for future in [executor.submit(task) for task in range(1, 9)]]
    assert [answer for answer, _ in answers] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert 1 <= len({pid for _, pid in answers}) <= 2
    assert os.getpid() not in {pid for _, pid in answers}


def test_a_child_that_dies_takes_only_its_own_task_with_it(
    executor: LocalExecutor[int, tuple[int, int]],
) -> None:
    tasks = [1, -1, 2, 0, 3]
    futures = [executor.submit(task) for task in tasks]
    assert _death(futures[1]) == ("crash", "the worker process was killed by SIGKILL")
    assert _death(futures[3]) == ("crash", "the worker process ended with exit code 3")
    assert [futures[place].result(timeout=60)[0] for place in (0, 2, 4)] == [2, 4, 6]


def test_a_fork_server_that_dies_while_it_starts_a_child_takes_only_one_task_with_it(
    executor: LocalExecutor[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_nothing(_: object) -> None:
        raise EOFError("unexpected EOF")

    with monkeypatch.context() as patch:
        patch.setattr(multiprocessing.context.ForkServerProcess, "_Popen", staticmethod(read_nothing))
        reason = "the fork server ended while it started a worker process"
        assert _death(executor.submit(1)) == ("crash", reason)
    assert executor.submit(2).result(timeout=60)[0] == 4


def _slow_poll(popen: Any, flag: int = os.WNOHANG) -> int | None:
    """The standard library's; who waits for a child takes time between seeing its end and reading how."""
    if popen.returncode is None:
        if not wait([popen.sentinel], 0 if flag == os.WNOHANG else None):
            return None
        time.sleep(0 if flag == os.WNOHANG else 0.1)
        try:
            popen.returncode = forkserver.read_signed(popen.sentinel)
        except (OSError, EOFError):
            popen.returncode = 255
    code: int = popen.returncode
    return code


def test_how_a_child_ended_is_known_although_another_is_started_at_that_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(multiprocessing.popen_forkserver.Popen, "poll", _slow_poll)
    executor = LocalExecutor(_double_or_die, slots=[{}] * 4, start=_nothing, is_well=_is_well)
    deaths = [_death(future) for future in [executor.submit(-1) for _ in range(12)]]
    executor.close()
    assert set(deaths) == {("crash", "the worker process was killed by SIGKILL")}


def test_a_child_that_answers_that_it_is_unwell_gets_no_other_task() -> None:
    executor = LocalExecutor(
        _double_or_die, slots=[{}], start=_nothing, is_well=lambda answer: answer[0] != 4
    )
    pids = [executor.submit(task).result(timeout=60)[1] for task in (1, 2, 3)]
    executor.close()
    assert pids[0] == pids[1] != pids[2]


def test_a_task_that_cannot_be_sent_is_an_error_and_not_a_hang() -> None:
    executor = LocalExecutor(_double_or_die, slots=[{}], start=_nothing, is_well=bool)
    unsendable: object = lambda: None  # noqa: E731 (a lambda cannot be pickled)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        executor.submit(unsendable).result(timeout=60)
    assert executor.submit(4).result(timeout=60)[0] == 8
    executor.close()


def test_cancelling_ends_the_children_at_once() -> None:
    executor = LocalExecutor(time.sleep, slots=[{}] * 2, start=_nothing, is_well=bool)
    futures = [executor.submit(600) for _ in range(4)]
    assert _wait_for(lambda: len(executor._alive) == 2)
    executor.cancel()
    executor.close()
    assert all(future.cancelled() or isinstance(future.exception(), WorkerDied) for future in futures)


_SCRIPT = """
    import os, sys, time
    from msanet_bench.executors import LocalExecutor
    from tasks import {function}, nothing

    print("script runs", flush=True)
    executor = LocalExecutor({function}, slots=[{{}}] * 2, start=nothing, is_well=bool)
    for _ in range(2):
        executor.submit({folder!r})
    time.sleep(600)
"""

_TASKS = """
import ctypes, fcntl, os, pathlib, time

def nothing():
    pass

def sleeping(folder):
    pathlib.Path(folder, f"{os.getpid()}.pid").touch()
    time.sleep(600)

def holding_the_lock(folder):
    pathlib.Path(folder, f"{os.getpid()}.pid").touch()
    ctypes.PyDLL(None).sleep(600)

def disarmed(folder):
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        try:
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        except OSError:
            continue
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags & ~os.O_ASYNC)
    holding_the_lock(folder)
"""


def _coordinator_killed_over(folder: Path, function: str) -> tuple[list[psutil.Process], str]:
    """The children of a script whose tasks run when it is killed, and what it printed."""
    (folder / "tasks.py").write_text(_TASKS)
    script = folder / "script.py"
    script.write_text(textwrap.dedent(_SCRIPT.format(folder=str(folder), function=function)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    coordinator = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment)
    try:
        assert _wait_for(lambda: len(list(folder.glob("*.pid"))) == 2)
        children = [psutil.Process(int(path.stem)) for path in folder.glob("*.pid")]
        assert all(child.is_running() for child in children)
    finally:
        coordinator.kill()
        # not `communicate`: children that live on hold the pipe open
        coordinator.wait(timeout=60)
    assert coordinator.stdout is not None
    os.set_blocking(coordinator.stdout.fileno(), False)
    with coordinator.stdout:
        return children, (coordinator.stdout.read() or b"").decode()


@pytest.mark.parametrize("function", ["sleeping", "holding_the_lock"])
def test_children_end_with_a_coordinator_that_is_killed_and_never_run_its_script(
    tmp_path: Path, function: str
) -> None:
    children, output = _coordinator_killed_over(tmp_path, function)
    assert _wait_for(lambda: not any(child.is_running() for child in children))
    assert output.count("script runs") == 1


def test_a_child_that_holds_the_lock_would_live_on_if_the_kernel_did_not_end_it(tmp_path: Path) -> None:
    children, _ = _coordinator_killed_over(tmp_path, "disarmed")
    try:
        time.sleep(1)
        assert all(child.is_running() for child in children)
    finally:
        for child in children:
            child.kill()


def _death(future: Future[Any]) -> tuple[str, str]:
    error = future.exception(timeout=60)
    assert isinstance(error, WorkerDied), error
    return error.kind, str(error)


def _wait_for(condition: object) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False

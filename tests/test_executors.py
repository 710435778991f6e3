import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

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
    with pytest.raises(WorkerDied, match="killed by SIGKILL"):
        futures[1].result(timeout=60)
    with pytest.raises(WorkerDied, match="ended with exit code 3"):
        futures[3].result(timeout=60)
    assert [futures[place].result(timeout=60)[0] for place in (0, 2, 4)] == [2, 4, 6]


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
    sys.path.insert(0, {folder!r})
    from tasks import sleep_for_ever, nothing

    print("script runs", flush=True)
    executor = LocalExecutor(sleep_for_ever, slots=[{{}}] * 2, start=nothing, is_well=bool)
    for _ in range(2):
        executor.submit({folder!r})
    time.sleep(600)
"""


def test_children_end_with_a_coordinator_that_is_killed_and_never_run_its_script(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(
        "import os, pathlib, time\n"
        "def nothing(): pass\n"
        "def sleep_for_ever(folder):\n"
        "    pathlib.Path(folder, f'{os.getpid()}.pid').touch()\n"
        "    time.sleep(600)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(_SCRIPT.format(folder=str(tmp_path))))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    coordinator = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment)
    try:
        assert _wait_for(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        children = [int(path.stem) for path in tmp_path.glob("*.pid")]
        assert all(psutil.pid_exists(pid) for pid in children)
    finally:
        coordinator.kill()
        output, _ = coordinator.communicate(timeout=60)
    assert _wait_for(lambda: not any(psutil.pid_exists(pid) for pid in children))
    assert output.decode().count("script runs") == 1


def _wait_for(condition: object) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False

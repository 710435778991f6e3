"""Limits of a task, and how the end of a child is told."""

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import msanet_bench.executors.local
from msanet_bench.executors import Limits, LocalExecutor, WorkerDied
from msanet_bench.executors.endings import count_oom_kills, ending

LIMIT_BYTES = 1_000_000_000


def _run(task: tuple[str, Any]) -> Any:
    name, argument = task
    return globals()[f"_{name}"](argument)


def _double(number: int) -> int:
    return 2 * number


def _sleep(seconds: int) -> None:
    time.sleep(seconds)


def _hold_the_lock(seconds: int) -> None:
    ctypes.PyDLL(None).sleep(seconds)


def _fill_memory(_: None) -> None:
    kept = b"1" * int(1.2 * LIMIT_BYTES)
    time.sleep(600)
    del kept


def _fill_memory_below(pid_file: str) -> None:
    code = f"import os, time; kept = b'1' * int(1.2 * {LIMIT_BYTES}); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code])
    Path(pid_file).write_text(str(process.pid))
    process.wait()


def _kill_itself(number: int) -> None:
    os.kill(os.getpid(), number)


def _close_everything(_: None) -> None:
    os.closerange(3, 100)
    time.sleep(600)


def _leave_a_child_behind(_: None) -> None:
    if os.fork() == 0:
        time.sleep(30)
    os._exit(4)


def _nothing() -> None:
    return None


def _is_well(_: object) -> bool:
    return True


@pytest.fixture
def open_executor() -> Iterator[Callable[..., LocalExecutor[tuple[str, Any], Any]]]:
    opened: list[LocalExecutor[tuple[str, Any], Any]] = []

    def executor(slots: int = 1, **limits: Any) -> LocalExecutor[tuple[str, Any], Any]:
        new = LocalExecutor(
            _run, slots=[{}] * slots, start=_nothing, is_well=_is_well, limits=Limits(**limits)
        )
        opened.append(new)
        return new

    yield executor
    for executor_ in opened:
        executor_.cancel()
        executor_.close()


Open = Callable[..., LocalExecutor[tuple[str, Any], Any]]


def _death(executor: LocalExecutor[tuple[str, Any], Any], name: str, argument: Any) -> tuple[str, str]:
    error = executor.submit((name, argument)).exception(timeout=60)
    assert isinstance(error, WorkerDied), error
    return error.kind, str(error)


@pytest.mark.parametrize("name", ["sleep", "hold_the_lock"])
def test_a_task_that_runs_too_long_is_killed_and_the_others_go_on(open_executor: Open, name: str) -> None:
    executor = open_executor(slots=2, seconds=1.5)
    hanging = executor.submit((name, 600))
    others = [executor.submit(("double", number)) for number in range(20)]
    assert [other.result(timeout=60) for other in others] == [2 * number for number in range(20)]
    error = hanging.exception(timeout=60)
    assert isinstance(error, WorkerDied)
    assert (error.kind, str(error)) == (
        "timeout",
        "the worker process ran longer than the limit of 1.5 s and was killed",
    )
    assert executor.submit(("double", 4)).result(timeout=60) == 8


def test_without_a_limit_nothing_is_killed(open_executor: Open) -> None:
    hanging = open_executor().submit(("sleep", 600))
    with pytest.raises(TimeoutError):
        hanging.result(timeout=2)


def test_a_task_that_takes_too_much_memory_is_killed(open_executor: Open) -> None:
    executor = open_executor(memory_bytes=LIMIT_BYTES, seconds=60)
    expected = ("memory", "the worker process used more than the limit of 1 GB and was killed")
    assert _death(executor, "fill_memory", None) == expected
    assert executor.submit(("double", 4)).result(timeout=60) == 8


def test_memory_of_processes_below_a_child_counts_and_they_are_killed_with_it(
    open_executor: Open, tmp_path: Path
) -> None:
    executor, pid_file = open_executor(memory_bytes=LIMIT_BYTES, seconds=60), tmp_path / "pid"
    assert _death(executor, "fill_memory_below", str(pid_file))[0] == "memory"
    deadline = time.monotonic() + 10
    while psutil.pid_exists(int(pid_file.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(pid_file.read_text()))


@pytest.mark.parametrize(
    ("counts", "kind", "message"),
    [
        ([5, 6], "memory", "the worker process was killed by SIGKILL while memory had run out"),
        ([5, 5], "crash", "the worker process was killed by SIGKILL"),
    ],
)
def test_a_kill_of_the_kernel_for_want_of_memory_is_told_from_another(
    open_executor: Open, monkeypatch: pytest.MonkeyPatch, counts: list[int], kind: str, message: str
) -> None:
    reader = iter(counts)
    monkeypatch.setattr(msanet_bench.executors.local, "count_oom_kills", lambda: next(reader))
    assert _death(open_executor(), "kill_itself", signal.SIGKILL) == (kind, message)


def test_only_sigkill_can_be_the_kernels_out_of_memory_killer() -> None:
    assert ending(-signal.SIGSEGV, oom_kills=1).kind == "crash"
    assert ending(1, oom_kills=1).kind == "crash"


def test_a_signal_without_a_name_has_its_number(open_executor: Open) -> None:
    number = signal.SIGRTMIN + 3
    assert _death(open_executor(), "kill_itself", number)[1] == (
        f"the worker process was killed by signal {number}"
    )


def test_a_child_that_closes_its_connection_is_not_waited_for_until_it_ends(
    open_executor: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msanet_bench.executors.local, "_LAST_SECONDS", 0.2)
    executor = open_executor()
    assert _death(executor, "close_everything", None) == (
        "crash",
        "the worker process closed its connection without an answer",
    )
    assert executor.submit(("double", 4)).result(timeout=60) == 8


def test_a_child_is_dead_although_one_of_its_own_holds_its_connection(open_executor: Open) -> None:
    clock = time.monotonic()
    assert _death(open_executor(), "leave_a_child_behind", None)[1] == (
        "the worker process ended with exit code 4"
    )
    assert time.monotonic() - clock < 15


def test_a_death_can_be_sent_to_another_process() -> None:
    death = pickle.loads(pickle.dumps(WorkerDied("memory", "gone")))  # noqa: S301
    assert (death.kind, str(death)) == ("memory", "gone")


COUNTERS = {
    "v2": ("0::/job/one\n", "sys/fs/cgroup/job/one/memory.events"),
    "v2 within a container": ("0::/\n", "sys/fs/cgroup/memory.events"),
    "v1": ("4:memory:/job\n0::/\n", "sys/fs/cgroup/memory/job/memory.oom_control"),
    "v1 of several controllers": ("4:cpu,memory:/job\n", "sys/fs/cgroup/memory/job/memory.oom_control"),
    "no group": ("", "proc/vmstat"),
}


@pytest.mark.parametrize("case", COUNTERS)
def test_out_of_memory_kills_are_counted_in_our_group_or_on_the_machine(tmp_path: Path, case: str) -> None:
    groups, counter = COUNTERS[case]
    for file, text in {"proc/self/cgroup": groups, "proc/vmstat": "nr_free 9\noom_kill 2\n"}.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    assert count_oom_kills(tmp_path) == 2
    (tmp_path / counter).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / counter).write_text("oom 9\noom_kill 7\noom_group_kill 8\n")
    assert count_oom_kills(tmp_path) == 7


def test_where_nothing_counts_no_kill_is_counted(tmp_path: Path) -> None:
    assert count_oom_kills(tmp_path) == 0


_OOM_SCRIPT = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from msanet_bench.executors import LocalExecutor
from test_executors_limits import _is_well, _nothing, _run

Path({group!r}, "cgroup.procs").write_text(str(os.getpid()))
executor = LocalExecutor(_run, slots=[{{}}], start=_nothing, is_well=_is_well)
error = executor.submit(("fill_memory", None)).exception()
print(error.kind, error, executor.submit(("double", 4)).result(), sep="; ")
executor.close()
"""


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group whose processes get half of what `_fill_memory` takes."""
    groups = Path("/sys/fs/cgroup")
    v1 = (groups / "memory").is_dir()
    group = (groups / "memory" if v1 else groups) / f"msanet_bench_{os.getpid()}"
    try:
        group.mkdir()
        limit = group / ("memory.limit_in_bytes" if v1 else "memory.max")
        limit.write_text(str(LIMIT_BYTES // 2))
    except OSError as error:
        pytest.skip(f"no control group of our own can be made here: {error}")
    yield group
    deadline = time.monotonic() + 10
    while (group / "cgroup.procs").read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    group.rmdir()


@pytest.mark.cluster
def test_a_real_kill_of_the_kernel_for_want_of_memory_is_told(small_group: Path) -> None:
    script = _OOM_SCRIPT.format(tests=str(Path(__file__).parent), group=str(small_group))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "memory; the worker process was killed by SIGKILL while memory had run out; 8\n", (
        done.stderr
    )

"""Tasks on this machine: one warm child process a slot, replaced when it dies or answers that it is unwell.

Children come from a fork server that has imported the heavy packages once. A child ends as soon as the
coordinator is gone, however that ended: it holds a pipe whose other end only the coordinator has.

Warm children are kept since they are cheaper: beside training, a cell took 37 ms, and 119 ms with a fresh
child each (tests/benchmarks/engine.py, two cores).
"""

import contextlib
import multiprocessing
import os
import pickle
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from msanet_bench.executors.child import work
from msanet_bench.executors.endings import count_oom_kills, ending
from msanet_bench.executors.limits import UNLIMITED, Limits, WorkerDied
from msanet_bench.executors.prints import WHERE, require_writable
from msanet_bench.executors.watch import Watch, kill_family

# how long a child that closed its connection may take to end; how long one may take to say where it hangs
_LAST_SECONDS, _WHERE_SECONDS = 10, 0.2

# over `start`, which asks all children whether they have ended, and over every other such question: of two
# threads that ask at a time one reads the exit code and the other an empty pipe, which is told as code 255
_PROCESSES = threading.Lock()

T = TypeVar("T")
R = TypeVar("R")


def begin_preloading(preload: Sequence[str]) -> None:
    """Have the fork server import them in the background, so that the first children need not wait for it."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(preload))
    with _PROCESSES, _without_main():
        forkserver.ensure_running()


@dataclass(slots=True)
class _Child:
    process: BaseProcess
    tasks: Connection
    life: Connection


class LocalExecutor(Generic[T, R]):
    """Runs one function on tasks, one child process a slot.

    Args:
        function: Importable by name; called in the child as `function(task)`. It must not raise.
        slots: What each slot's children find in their environment before they import anything of a task's.
        start: Called once in each new child before its first task.
        is_well: Whether a child that gave this answer can be trusted with another task.
        preload: Modules that the fork server imports once for all children.
        limits: What a task may take before its child is killed.
        log: The file at whose end stands what a task prints; one that stays empty is removed.
    """

    def __init__(
        self,
        function: Callable[[T], R],
        *,
        slots: Sequence[Mapping[str, str]],
        start: Callable[[], None],
        is_well: Callable[[R], bool],
        preload: Sequence[str] = (),
        limits: Limits = UNLIMITED,
        log: Callable[[T], Path] | None = None,
    ) -> None:
        self._functions = pickle.dumps((start, function))
        self._is_well = is_well
        self._limits = limits
        self._log = log
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._tasks: queue.SimpleQueue[tuple[T, Future[R]] | None] = queue.SimpleQueue()
        self._alive: dict[int, _Child] = {}
        self._closing = threading.Event()
        self._slots = [
            threading.Thread(target=self._serve, args=(dict(slot),), daemon=True) for slot in slots
        ]
        for slot in self._slots:
            slot.start()

    def submit(self, task: T) -> Future[R]:
        """The future answer.

        It raises WorkerDied when the child ended before it answered, and ResultsError when the log cannot be
        written.
        """
        future: Future[R] = Future()
        self._tasks.put((task, future))
        return future

    def cancel(self) -> None:
        """Stop every child at once; what they were doing is given up."""
        self._closing.set()
        for child in list(self._alive.values()):
            kill_family(child.process)

    def close(self) -> None:
        """Wait for what was submitted, then let the children go."""
        for _ in self._slots:
            self._tasks.put(None)
        for slot in self._slots:
            slot.join()

    def _serve(self, environment: Mapping[str, str]) -> None:
        child: _Child | None = None
        while (item := self._tasks.get()) is not None:
            task, future = item
            if self._closing.is_set():
                future.cancel()
                continue
            try:
                child = child or self._new_child(environment)
                answer = self._ask(child, task)
            except Exception as error:  # noqa: BLE001 (whoever waits for the answer must hear of it)
                future.set_exception(error)
                self._retire(child)
                child = None
                continue
            future.set_result(answer)
            if not self._is_well(answer):
                self._retire(child)
                child = None
        self._retire(child)

    def _ask(self, child: _Child, task: T) -> R:
        log, oom_kills = self._log_file(task), count_oom_kills()
        try:
            child.tasks.send((task, log))
            self._await(child)
            answer: R = child.tasks.recv()
        except (EOFError, OSError) as error:
            code = _exit_code(child.process, _LAST_SECONDS)
            raise ending(code, oom_kills=count_oom_kills() - oom_kills) from error
        return answer

    def _log_file(self, task: T) -> str | None:
        if self._log is None:
            return None
        log = self._log(task).resolve()
        require_writable(log)
        return str(log)

    def _await(self, child: _Child) -> None:
        """Return when the child has answered.

        Raises:
            EOFError: it ended.
            WorkerDied: it broke a limit and was killed.
        """
        watch = Watch(self._limits, child.process)
        while not wait([child.tasks, child.process.sentinel], watch.pause()):
            if (breach := watch.breach()) is not None:
                self._stop(child, breach)
                raise breach
        # a process below the child may hold its end of the connection, which then tells no end
        if not child.tasks.poll():
            raise EOFError

    def _stop(self, child: _Child, breach: WorkerDied) -> None:
        """Kill a child; one that hangs says first in its log where."""
        if breach.kind == "timeout" and self._log is not None and child.process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.process.pid, WHERE)
            wait([child.process.sentinel], _WHERE_SECONDS)
        kill_family(child.process)

    def _new_child(self, environment: Mapping[str, str]) -> _Child:
        tasks, child_tasks = self._context.Pipe()
        child_life, life = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=work,
            args=(environment, child_life, child_tasks, self._functions),
            kwargs={"logs": self._log is not None},
            daemon=True,
        )
        try:
            with _PROCESSES, _without_main():
                process.start()
        except (EOFError, OSError) as error:
            for end in (tasks, child_tasks, life, child_life):
                end.close()
            raise WorkerDied("crash", "the fork server ended while it started a worker process") from error
        child_tasks.close()
        child_life.close()
        child = _Child(process, tasks, life)
        self._alive[id(child)] = child
        if self._closing.is_set():
            process.kill()
        return child

    def _retire(self, child: _Child | None) -> None:
        """End a child that has nothing to do or is not trusted."""
        if child is not None:
            kill_family(child.process)
            child.life.close()
            child.tasks.close()
            _exit_code(child.process, None)
            self._alive.pop(id(child))


def _exit_code(process: BaseProcess, seconds: float | None) -> int | None:
    """Of a process that ends within so many seconds; else None. No seconds: however long it takes."""
    if not wait([process.sentinel], seconds):
        return None
    with _PROCESSES:
        process.join()
        return process.exitcode


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep children from importing the caller's script: a script without a guard would run itself again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main

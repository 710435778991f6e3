"""Cells on this machine: one warm child process a slot, replaced when it dies or answers that it is unwell.

Children come from a fork server that has imported the heavy packages once. A child ends by itself as soon
as the coordinator is gone, however that ended: it watches a pipe whose other end only the coordinator holds.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from msanet_bench.executors.limits import UNLIMITED, Limits, WorkerDied

_MAIN = threading.Lock()

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Child:
    process: BaseProcess
    tasks: Connection
    life: Connection


class LocalExecutor(Generic[T, R]):
    """Runs one function on tasks, one child process a slot.

    Args:
        function: Importable by name; called in the child as `function(task)`. It must not raise.
        slots: What each slot's children find in their environment before they import anything.
        start: Called once in each new child before its first task.
        is_well: Whether a child that gave this answer can be trusted with another task.
        preload: Modules that the fork server imports once for all children.
        limits: What a task may take before its child is killed.
        log: The file that takes what a task prints.
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
        self._function = function
        self._start = start
        self._is_well = is_well
        self._limits = limits
        self._log = log
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._tasks: queue.SimpleQueue[tuple[T, Future[R]] | None] = queue.SimpleQueue()
        self._alive: dict[int, BaseProcess] = {}
        self._closing = threading.Event()
        self._slots = [threading.Thread(target=self._serve, daemon=True) for _ in slots]
        for slot in self._slots:
            slot.start()

    def submit(self, task: T) -> Future[R]:
        """The future answer; WorkerDied when the child ended before it answered."""
        future: Future[R] = Future()
        self._tasks.put((task, future))
        return future

    def cancel(self) -> None:
        """Stop every child at once; what they were doing is given up."""
        self._closing.set()
        for process in list(self._alive.values()):
            process.kill()

    def close(self) -> None:
        """Wait for what was submitted, then let the children go."""
        for _ in self._slots:
            self._tasks.put(None)
        for slot in self._slots:
            slot.join()

    def _serve(self) -> None:
        child: _Child | None = None
        while (item := self._tasks.get()) is not None:
            task, future = item
            if self._closing.is_set():
                future.cancel()
                continue
            try:
                child = child or self._new_child()
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
        try:
            child.tasks.send(task)
            wait([child.tasks, child.process.sentinel])
            answer: R = child.tasks.recv()
        except (EOFError, OSError) as error:
            raise WorkerDied("crash", _ending(child.process)) from error
        return answer

    def _new_child(self) -> _Child:
        tasks, child_tasks = self._context.Pipe()
        child_life, life = self._context.Pipe(duplex=False)
        arguments = (child_tasks, child_life, self._start, self._function)
        process = self._context.Process(target=_work, args=arguments, daemon=True)
        with _without_main():
            process.start()
        child_tasks.close()
        child_life.close()
        self._alive[id(process)] = process
        if self._closing.is_set():
            process.kill()
        return _Child(process, tasks, life)

    def _retire(self, child: _Child | None) -> None:
        """Let a child end; it does so when nobody holds the other end of its life."""
        if child is not None:
            child.life.close()
            child.process.join()
            self._alive.pop(id(child.process))


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep children from importing the caller's script: a script without a guard would run itself again."""
    with _MAIN:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _ending(process: BaseProcess) -> str:
    process.join()
    code = process.exitcode
    if code is not None and code < 0:
        return f"the worker process was killed by {signal.Signals(-code).name}"
    return f"the worker process ended with exit code {code}"


def _work(
    tasks: Connection, life: Connection, start: Callable[[], None], function: Callable[[Any], Any]
) -> None:
    # Ctrl-C reaches the whole process group; the coordinator alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    start()
    with contextlib.suppress(EOFError):
        while True:
            tasks.send(function(tasks.recv()))


def _end_with(life: Connection) -> None:
    wait([life])
    os._exit(0)

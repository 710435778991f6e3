"""Who looks that a task takes no more than it may, and ends it with all that it has begun."""

import contextlib
import math
import time
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import psutil

from msanet_bench.executors.limits import Ending, Limits, WorkerDied

# a look at one process costs 20 us, at the machine's table of processes milliseconds
_LOOK_SECONDS, _TABLE_SECONDS = 0.1, 1.0


class Watch:
    """Looks after a child that was handed a task just now."""

    def __init__(self, limits: Limits, child: BaseProcess) -> None:
        self._limits = limits
        self._child = child
        self._end = time.monotonic() + (math.inf if limits.seconds is None else limits.seconds)
        self._family: list[psutil.Process] = []
        self._listed = -math.inf

    def pause(self) -> float | None:
        """Seconds until the next look is due; None: no look is needed."""
        if self._limits.memory_bytes is not None:
            return _LOOK_SECONDS
        return None if self._end == math.inf else max(0.0, self._end - time.monotonic())

    def breach(self) -> WorkerDied | None:
        """Which limit is broken, if one is."""
        if time.monotonic() >= self._end:
            return _killed("timeout", f"ran longer than the limit of {self._limits.seconds:g} s")
        limit = self._limits.memory_bytes
        if limit is not None and self._resident_bytes() > limit:
            return _killed("memory", f"used more than the limit of {limit / 1e9:g} GB")
        return None

    def _resident_bytes(self) -> int:
        if time.monotonic() - self._listed > _TABLE_SECONDS:
            self._family, self._listed = family(self._child), time.monotonic()
        return sum(_resident_bytes(process) for process in self._family)


def kill_family(child: BaseProcess) -> None:
    """End a child and all processes below it at once."""
    for process in family(child):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def family(child: BaseProcess) -> list[psutil.Process]:
    """A child and its descendants; none if it has ended, since its number may be another's by now."""
    if child.pid is None or wait([child.sentinel], 0):
        return []
    try:
        process = psutil.Process(child.pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _killed(kind: Ending, why: str) -> WorkerDied:
    return WorkerDied(kind, f"the worker process {why} and was killed")

"""What runs in a child: tasks, one after the other, until the coordinator has no more or is gone."""

import contextlib
import fcntl
import os
import pickle
import signal
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from pathlib import Path

from msanet_bench.executors.prints import keep_no_output_back, logged


def work(
    environment: Mapping[str, str], life: Connection, tasks: Connection, functions: bytes, *, logs: bool
) -> None:
    """Answer each task of a connection.

    Args:
        environment: Set before anything of the functions is imported.
        life: A pipe; when nobody holds its other end, this process ends.
        tasks: Brings pairs of a task and its log file or None, and takes the answers.
        functions: The pickled pair of what is called first and what is called with each task.
        logs: Whether any task comes with a log file.
    """
    os.environ.update(environment)
    # Ctrl-C reaches the whole process group; the coordinator alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with(life)
    if logs:
        keep_no_output_back()
    start, function = pickle.loads(functions)  # noqa: S301 (the coordinator is the same program)
    start()
    with contextlib.suppress(EOFError):
        while True:
            task, log = tasks.recv()
            tasks.send(function(task) if log is None else logged(function, task, Path(log)))


def _end_with(life: Connection) -> None:
    if sys.platform == "linux":
        # The kernel does it, since a task may hold the interpreter's lock for ever. PR_SET_PDEATHSIG would
        # not do: the parent is the fork server, which lives as long as any child does.
        fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_end_after, args=(life,), daemon=True).start()


def _end_after(life: Connection) -> None:
    wait([life])
    os._exit(0)

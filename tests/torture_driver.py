"""Runs sweeps that kill themselves, or find the disk full, at a named point; `torture.py` starts it.

Each line on standard input asks for one command; it is run in a fork of this process, which has imported all
that a sweep needs. The fork server of that sweep is a fork too, for the same reason.
"""

import errno
import importlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from multiprocessing import util
from pathlib import Path

from msanet_bench.cli import main
from msanet_bench.executors import PRELOAD
from torture_points import POINTS, Countdown, install
from torture_twins import TWINS, let_workers_die

HEAVY = ("msanet_bench.sweep", "msanet_bench.report", "msanet_bench.console", "msanet_bench.checks", *PRELOAD)
FORK_SERVER = "from multiprocessing.forkserver import main"


def serve() -> None:
    """Answer each line with the process that runs it, and when that has ended with how it did."""
    for module in HEAVY:
        importlib.import_module(module)
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if process == 0:
            run(**asked)
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
        sys.stdout.flush()


def run(
    folder: str,
    arguments: Sequence[str],
    point: str,
    number: int,
    *,
    everybody: bool,
    full: bool,
    deaths: int,
    twin: str,
) -> None:
    """Become the leader of a session, perhaps spoil the program, and run one command."""
    os.setsid()
    os.chdir(folder)
    file = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["msanet-bench", *arguments]
    spawn = util.spawnv_passfds
    util.spawnv_passfds = lambda *command: (_fork if FORK_SERVER in command[1][-1] else spawn)(*command)
    let_workers_die(deaths, Path(folder))
    multiprocessing.set_forkserver_preload(list(PRELOAD))
    importlib.import_module("multiprocessing.forkserver").ensure_running()
    if twin:
        TWINS[twin]()
    if point:
        fall = _find_the_disk_full if full else partial(_kill, everybody=everybody)
        install(POINTS[point], Countdown(number), fall)
    code = 1
    try:
        main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        os._exit(code)


def _find_the_disk_full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _kill(*, everybody: bool) -> None:
    if everybody:
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _fork(_: bytes, command: Sequence[str], kept: Sequence[int]) -> int:
    process = os.fork()
    if process == 0:
        try:
            last = 2
            for descriptor in sorted(kept):
                os.closerange(last + 1, descriptor)
                last = descriptor
            os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))
            exec(command[-1], {})  # noqa: S102 (what multiprocessing would have given to a new interpreter)
        finally:
            os._exit(0)
    return process


if __name__ == "__main__":
    serve()

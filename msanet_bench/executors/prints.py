"""Where a child's output goes: to the log file of the task that prints it."""

import contextlib
import ctypes
import faulthandler
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from msanet_bench.errors import ResultsError

# makes a child print the stack of every thread, whatever it is doing
WHERE = signal.SIGUSR1

_OUT, _ERR = 1, 2
_UNBUFFERED = 2  # _IONBF of stdio.h

T = TypeVar("T")
R = TypeVar("R")


def require_writable(log: Path) -> None:
    """Make a log file before its task begins.

    Raises:
        ResultsError: the folder or the disk refuses.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.open("ab").close()
    except OSError as error:
        raise ResultsError(
            f"{log}: cannot be written ({error.strerror}). It takes what a task prints: make room or mend "
            "the folder, and run the same command again."
        ) from error


def keep_no_output_back() -> None:
    """Nothing printed waits in a buffer that a crash would take along, and a crash prints its stack."""
    sys.stdout, sys.stderr = _text(_OUT), _text(_ERR)
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        library.setvbuf(ctypes.c_void_p.in_dll(library, "stdout"), None, _UNBUFFERED, 0)
    faulthandler.enable(file=_ERR)
    faulthandler.register(WHERE, file=_ERR)


def logged(function: Callable[[T], R], task: T, log: Path) -> R:
    """The answer of a function; what it prints meanwhile, its C code too, stands at the end of the log.

    An empty log is removed. If the function raises, the log takes the last words of this process too.
    """
    outer = os.dup(_OUT), os.dup(_ERR)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for descriptor in (_OUT, _ERR):
        os.dup2(file, descriptor)
    answer = function(task)
    for kept, descriptor in zip(outer, (_OUT, _ERR), strict=True):
        os.dup2(kept, descriptor)
        os.close(kept)
    if os.fstat(file).st_size == 0:
        log.unlink(missing_ok=True)  # a user may have tidied up
    os.close(file)
    return answer


def _text(descriptor: int) -> io.TextIOWrapper:
    output = _Output(descriptor, "w", closefd=False)
    return io.TextIOWrapper(output, "utf-8", "backslashreplace", write_through=True)


class _Output(io.FileIO):
    """A descriptor whose refusals are nobody's failure: a full disk must not change what a task answers."""

    def write(self, data: Any, /) -> int:  # noqa: ANN401 (any buffer; it has a name from Python 3.12 on)
        with contextlib.suppress(OSError):
            super().write(data)
        return memoryview(data).nbytes

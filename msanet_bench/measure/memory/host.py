"""Peak memory of a whole process on the host: a number only a fresh process can give."""

import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from torch import nn

from msanet_bench.measure.memory.workload import classify

_STATUS = Path("/proc/self/status")


def host_peak_rss(make: Callable[[], nn.Module], input_shape: tuple[int, ...], *, batch: int = 1) -> int:
    """Most bytes that a fresh process held, which built a network by `make` and ran one forward pass.

    Interpreter, torch and all else that is imported are in it: see `host_baseline_rss`. `make` travels by
    pickle, so it is a function of a module, or a `partial` of one. It takes seconds, to import torch.
    """
    return _in_fresh_process(_peak_of_forward, make, input_shape, batch)


def host_baseline_rss(make: Callable[[], nn.Module]) -> int:
    """Most bytes that a fresh process held, which imported what `make` needs and built nothing.

    What lies above it is no exact cost of a network: allocators keep some of what is freed, and torch loads
    parts of itself when they are needed first.
    """
    return _in_fresh_process(_peak_of_nothing, make)


def peak_rss() -> int:
    """Most bytes of memory that this process has held since its program was loaded.

    Linux's `ru_maxrss` does not fit: a process that is spawned inherits the peak of the one that spawned it,
    in memory it never had (a child of 9 MB under a parent of 400 MB reports 400). `VmHWM` starts anew.
    """
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        # VmHWM:     8792 kB, where kB are 1024 bytes
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, the others KiB
    return peak if sys.platform == "darwin" else peak * 1024


def _in_fresh_process(job: Callable[..., int], *arguments: object) -> int:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(job, *arguments).result()


def _peak_of_forward(make: Callable[[], nn.Module], input_shape: tuple[int, ...], batch: int) -> int:
    # each thread has an arena and workspaces: one thread, as the latencies
    torch.set_num_threads(1)
    classify(make(), torch.zeros(batch, *input_shape))
    return peak_rss()


def _peak_of_nothing(make: Callable[[], nn.Module]) -> int:
    """The peak after the imports alone: `make` arrives unpickled, so its modules are loaded."""
    del make
    return peak_rss()

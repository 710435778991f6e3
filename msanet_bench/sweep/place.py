"""Where the cells of a sweep run: in children of this process, or on the nodes of a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msanet_bench.cell import THREADS_PER_WORKER, Job, run_cell, start_worker
from msanet_bench.errors import BenchError
from msanet_bench.executors import PRELOAD, Executor, LocalExecutor
from msanet_bench.journal import Attempt
from msanet_bench.node import data_to_send, run_on_node
from msanet_bench.running import log_file
from msanet_bench.sweep.devices import Devices
from msanet_bench.sweep.options import SweepOptions

_START = partial(start_worker, THREADS_PER_WORKER)


class Place(NamedTuple):
    """An executor, and how many cells it runs at a time."""

    executor: Executor[Job, Attempt]
    slots: int


@contextmanager
def open_place(options: SweepOptions, devices: Devices, cells: int) -> Iterator[Place]:
    """A place for so many cells; one for none needs no cluster.

    Raises:
        BenchError: Ray is missing, or its cluster cannot be joined or has no room for a cell.
    """
    place = (
        _on_ray(options, devices, cells)
        if options.executor == "ray" and cells
        else _here(options, devices, cells)
    )
    try:
        yield place
    finally:
        place.executor.close()


def _here(options: SweepOptions, devices: Devices, cells: int) -> Place:
    slots = devices.slots(options.workers)[: max(1, cells)]
    executor = LocalExecutor(
        run_cell,
        slots=slots,
        start=_START,
        is_well=_is_well,
        preload=PRELOAD,
        limits=options.limits,
        log=partial(_log_file, options.results),
    )
    return Place(executor, len(slots))


def _on_ray(options: SweepOptions, devices: Devices, cells: int) -> Place:
    if options.devices not in {"auto", "cpu"}:
        raise BenchError(
            f"--devices: must be auto or cpu with --executor ray, which hands out the devices itself, "
            f"but got {options.devices!r}."
        )
    if options.limits.memory_bytes is not None:
        raise BenchError("--memory-limit: is not for --executor ray, which watches the memory of its nodes.")
    from msanet_bench.executors.ray import RayExecutor  # noqa: PLC0415 (an extra, and seconds to import)

    executor = RayExecutor(
        run_on_node,
        start=_START,
        is_well=_is_well,
        supply=data_to_send,
        address=options.ray_address,
        limits=options.limits,
        gpus=1 if devices.visible else 0,
        local_cpus=options.workers,
    )
    return Place(executor, min(cells, executor.slots, options.workers or executor.slots))


def _log_file(results: Path, job: Job) -> Path:
    return log_file(results, job.key)


def _is_well(attempt: Attempt) -> bool:
    """After any other failure a process may be left in any state: an error of a CUDA device stays with it."""
    return attempt.record.status in {"ok", "diverged", "pruned"}

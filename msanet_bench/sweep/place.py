"""Where the cells of a sweep run: in children of this process, or on the nodes of a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msanet_bench.cell import THREADS_PER_WORKER, start_worker
from msanet_bench.errors import BenchError
from msanet_bench.executors import PRELOAD, Executor, LocalExecutor
from msanet_bench.node import Answer, Task, data_to_send, is_well, job_of, run_on_node, run_task
from msanet_bench.running import log_file
from msanet_bench.sweep.devices import Devices
from msanet_bench.sweep.options import SweepOptions

_START = partial(start_worker, THREADS_PER_WORKER)


class Place(NamedTuple):
    """An executor, and how many tasks it runs at a time."""

    executor: Executor[Task, Answer]
    slots: int


@contextmanager
def open_place(options: SweepOptions, devices: Devices, cells: int) -> Iterator[Place]:
    """A place for so many cells; one for none needs no cluster. On any error what runs there is given up.

    Raises:
        BenchError: Ray is missing, or its cluster cannot be joined or has no room for a cell.
    """
    if options.ray_address is not None and options.executor != "ray":
        raise BenchError("--ray-address: means something only with --executor ray: give that too.")
    place = (
        _on_ray(options, devices, cells)
        if options.executor == "ray" and cells
        else _here(options, devices, cells)
    )
    try:
        yield place
    except BaseException:
        place.executor.cancel()
        raise
    finally:
        place.executor.close()


def _here(options: SweepOptions, devices: Devices, cells: int) -> Place:
    slots = devices.slots(options.workers)[: max(1, cells)]
    executor = LocalExecutor(
        run_task,
        slots=slots,
        start=_START,
        is_well=is_well,
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
        is_well=is_well,
        supply=data_to_send,
        address=options.ray_address,
        limits=options.limits,
        gpus=1 if devices.visible else 0,
        local_cpus=options.workers,
    )
    return Place(executor, min(cells, executor.slots, options.workers or executor.slots))


def _log_file(results: Path, task: Task) -> Path:
    return log_file(results, job_of(task).key)

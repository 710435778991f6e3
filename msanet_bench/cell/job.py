"""What a worker needs to run one cell, and what records say that its numbers depend on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from msanet_bench.overlay import Settings
from msanet_bench.train.heap import keep_freed_memory
from msanet_bench.train.stop import Stops
from msanet_bench.units import Measure

THREADS_PER_WORKER = 1


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a worker needs to run one cell.

    Attributes:
        data_digest: Of the data that the plan was made for.
        code: The digest of the code that the coordinator has loaded.
        costs: Parameters and multiply-accumulates, which are the same for every seed.
        stops: Of a search: what it must reach to go on.
        is_tested: False of a cell that tunes: its record knows nothing of the test images.
    """

    key: str
    variant: str
    factors: Mapping[str, Any]
    settings: Settings
    seed: int
    data_digest: str
    code: str
    costs: Mapping[str, Measure]
    data_root: Path
    plugins: tuple[str, ...]
    plugin_folder: Path
    device: str
    threads: int
    stops: Stops | None = None
    is_tested: bool = True


def start_worker(threads: int) -> None:
    """Set a process for training; how many threads its tensors may use changes the last bits."""
    torch.set_num_threads(threads)
    keep_freed_memory()


def job_provenance(job: Job) -> dict[str, Any]:
    """What a record says its numbers depend on beside its key."""
    return {
        "code": job.code,
        "data_digest": job.data_digest,
        "device": device_name(job.device),
        "threads": job.threads,
        "torch": torch.__version__,
    }


def device_name(device: str) -> str:
    """`cpu`, or the model of the CUDA device."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device

"""The examination of this machine."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from msanet_bench.doctor.device_checks import CHECKS, run_check
from msanet_bench.doctor.examination import Examination
from msanet_bench.doctor.noise import noise_floor
from msanet_bench.measure.device import NANOSECOND, CpuDevice
from msanet_bench.measure.environment import session_environment
from msanet_bench.measure.storage import StorageSpeed, storage_speed
from msanet_bench.session.run import Place, places

SECONDS = 30.0

_CLOCK_READINGS = 1000


def examine(folder: Path, seconds: float = SECONDS, *, on: Sequence[Place] | None = None) -> Examination:
    """Look at everything; `seconds` is how long each device's noise is listened to.

    `folder` is where results are kept, or will be: its storage is that of the nearest folder that exists.
    """
    found = places() if on is None else on
    environment = _anonymous(session_environment())
    storage, refusal = _storage(folder)
    noise = tuple(noise_floor(place, seconds) for place in found)
    of_cuda = [place for place in found if place.device.name == "cuda"]
    return Examination(
        environment=environment,
        clock_step_s=_clock_step(),
        cuda_devices=torch.cuda.device_count(),
        storage=storage,
        storage_refusal=refusal,
        noise=noise,
        checks=tuple(run_check(name, place) for place in of_cuda for name in CHECKS),
    )


def _anonymous(environment: dict[str, Any]) -> dict[str, Any]:
    """Without the number that tells one device from all others: an examination is meant to be shown."""
    gpu = environment["gpu"]
    kept = gpu and {name: value for name, value in gpu.items() if name != "uuid"}
    return environment | {"gpu": kept}


def _storage(folder: Path) -> tuple[StorageSpeed | None, str | None]:
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        return storage_speed(nearest), None
    except OSError as error:
        return None, error.strerror or type(error).__name__


def _clock_step() -> float | None:
    now = CpuDevice().now_ns
    readings = [now() for _ in range(_CLOCK_READINGS)]
    steps = [after - before for before, after in pairwise(readings) if after > before]
    return min(steps) * NANOSECOND if steps else None

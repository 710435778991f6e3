"""On what a run was made: versions and hardware, but no names of hosts, users or folders."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from msanet_bench.measure.flags import torch_flags
from msanet_bench.measure.gpu_info import gpu_info
from msanet_bench.measure.machine_info import machine_info
from msanet_bench.measure.nvml import Gpu, gpu_of
from msanet_bench.measure.processor_info import processor_info
from msanet_bench.measure.software_info import software_info
from msanet_bench.measure.variables import recorded_variables


def environment() -> dict[str, Any]:
    """What the numbers of a run depend on beside the experiment, as plain values in a fixed order."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "numpy": version("numpy"),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_model(Path("/proc/cpuinfo")),
        "cores": os.cpu_count(),
        "cuda_device": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "cuda": torch.version.cuda if torch.cuda.is_available() else None,
    }


def session_environment(gpu: Gpu | None = None) -> dict[str, Any]:
    """All that the times of one session depend on beside the networks, as plain values in a fixed order.

    Takes the flags as they stand, so it belongs after whatever sets them. `gpu` is torch's current device if
    it is open already.
    """
    return {
        **environment(),
        "software": software_info(),
        "flags": torch_flags(),
        "variables": recorded_variables(os.environ),
        "processor": processor_info(),
        "machine": machine_info(),
        "gpu": _current_gpu(gpu) if torch.cuda.is_available() else None,
    }


def _current_gpu(gpu: Gpu | None) -> dict[str, Any]:
    index = torch.cuda.current_device()
    return gpu_info(gpu_of(index) if gpu is None else gpu, index)


def _cpu_model(cpuinfo: Path) -> str:
    """The processor's name as Linux tells it, elsewhere the architecture."""
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()

"""What a CUDA device is and how it is set up; None where it does not tell."""

from typing import Any

import torch

from msanet_bench.measure.nvml import Gpu, ask, ask_system
from msanet_bench.measure.telemetry import CLOCK_MEMORY, CLOCK_SM

_WATTS = 1e-3
LOCKS = "NVML has no function that reads the locks of `nvidia-smi -lgc`"


def gpu_info(gpu: Gpu, index: int) -> dict[str, Any]:
    """One device by torch and by NVML, plain and in a fixed order; `unread` says why values are missing."""
    properties = torch.cuda.get_device_properties(index)
    told = {
        "name": properties.name,
        "uuid": ask(gpu, "nvmlDeviceGetUUID") or str(properties.uuid),
        "capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "memory_bytes": properties.total_memory,
        "l2_bytes": properties.L2_cache_size,
        "driver": ask_system(gpu, "nvmlSystemGetDriverVersion"),
        "vbios": ask(gpu, "nvmlDeviceGetVbiosVersion"),
        "persistence": _switch(ask(gpu, "nvmlDeviceGetPersistenceMode")),
        "ecc": _current(ask(gpu, "nvmlDeviceGetEccMode")),
        "mig": _current(ask(gpu, "nvmlDeviceGetMigMode")),
        **_link(gpu),
        **_limits(gpu),
    }
    return told | {"unread": {**gpu.unread, "clocks_locked": LOCKS}}


def _link(gpu: Gpu) -> dict[str, Any]:
    """The link to the host; an idle device may show a slower generation than it uses at work."""
    return {
        "pcie_generation": ask(gpu, "nvmlDeviceGetCurrPcieLinkGeneration"),
        "pcie_width": ask(gpu, "nvmlDeviceGetCurrPcieLinkWidth"),
        "pcie_max_generation": ask(gpu, "nvmlDeviceGetMaxPcieLinkGeneration"),
        "pcie_max_width": ask(gpu, "nvmlDeviceGetMaxPcieLinkWidth"),
    }


def _limits(gpu: Gpu) -> dict[str, Any]:
    """What bounds power and clocks; application clocks below the highest ones bound them too."""
    return {
        "power_limit_w": _watts(ask(gpu, "nvmlDeviceGetEnforcedPowerLimit")),
        "default_power_limit_w": _watts(ask(gpu, "nvmlDeviceGetPowerManagementDefaultLimit")),
        "max_sm_mhz": ask(gpu, "nvmlDeviceGetMaxClockInfo", CLOCK_SM),
        "max_memory_mhz": ask(gpu, "nvmlDeviceGetMaxClockInfo", CLOCK_MEMORY),
        "application_sm_mhz": ask(gpu, "nvmlDeviceGetApplicationsClock", CLOCK_SM),
        "application_memory_mhz": ask(gpu, "nvmlDeviceGetApplicationsClock", CLOCK_MEMORY),
        "default_application_sm_mhz": ask(gpu, "nvmlDeviceGetDefaultApplicationsClock", CLOCK_SM),
        "default_application_memory_mhz": ask(gpu, "nvmlDeviceGetDefaultApplicationsClock", CLOCK_MEMORY),
        "clocks_locked": None,
    }


def _switch(state: int | None) -> bool | None:
    return None if state is None else bool(state)


def _current(modes: list[int] | None) -> bool | None:
    """The mode of now; the second is that of after a reset."""
    return None if modes is None else bool(modes[0])


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts * _WATTS

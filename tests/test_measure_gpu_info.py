import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fake_nvml import UUID, FakeNvml, NVMLError_NotSupported, slice_of_a_device
from msanet_bench.measure.gpu_info import LOCKS, gpu_info
from msanet_bench.measure.nvml import open_gpu

PROPERTIES = SimpleNamespace(
    name="NVIDIA H100 80GB HBM3",
    uuid=UUID,
    major=9,
    minor=0,
    multi_processor_count=132,
    total_memory=85_029_158_912,
    L2_cache_size=52_428_800,
)


def told(monkeypatch: pytest.MonkeyPatch, fake: FakeNvml | None) -> dict[str, Any]:
    monkeypatch.setattr(torch.cuda, "get_device_properties", {1: PROPERTIES}.__getitem__)
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return gpu_info(open_gpu(UUID), 1)


def test_a_device_is_told_in_plain_values_of_a_fixed_order(monkeypatch: pytest.MonkeyPatch) -> None:
    info = told(monkeypatch, FakeNvml(nvmlDeviceGetEnforcedPowerLimit=650_000, nvmlDeviceGetEccMode=[0, 1]))
    assert list(info.items()) == [
        ("name", "NVIDIA H100 80GB HBM3"),
        ("uuid", f"GPU-{UUID}"),
        ("capability", "9.0"),
        ("multiprocessors", 132),
        ("memory_bytes", 85_029_158_912),
        ("l2_bytes", 52_428_800),
        ("driver", "580.95.05"),
        ("vbios", "96.00.74.00.01"),
        ("persistence", True),
        ("ecc", False),  # on after a reset is not on
        ("mig", False),
        ("pcie_generation", 5),
        ("pcie_width", 16),
        ("pcie_max_generation", 5),
        ("pcie_max_width", 16),
        ("power_limit_w", 650.0),
        ("default_power_limit_w", 700.0),
        ("max_sm_mhz", 1980),
        ("max_memory_mhz", 2619),
        ("application_sm_mhz", 1980),
        ("application_memory_mhz", 2619),
        ("default_application_sm_mhz", 1980),
        ("default_application_memory_mhz", 2619),
        ("clocks_locked", None),
        ("unread", {"clocks_locked": LOCKS}),
    ]
    assert json.loads(json.dumps(info)) == info


def test_every_value_that_a_slice_lacks_is_none_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    info = told(monkeypatch, slice_of_a_device())
    assert info["uuid"] == f"MIG-{UUID}"
    missing = [name for name, value in info.items() if value is None]
    # of 25 values six are torch's, the driver is the machine's, and `unread` is always told
    assert len(missing) == 25 - 8
    assert len(info["unread"]) == len(missing)
    assert set(info["unread"].values()) == {"Not Supported", LOCKS}


def test_one_missing_value_is_none_and_its_neighbours_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    info = told(monkeypatch, FakeNvml(nvmlDeviceGetEccMode=NVMLError_NotSupported()))
    assert (info["ecc"], info["mig"], info["persistence"]) == (None, False, True)
    assert info["unread"]["nvmlDeviceGetEccMode"] == "Not Supported"


def test_without_nvml_the_device_is_what_torch_says(monkeypatch: pytest.MonkeyPatch) -> None:
    info = told(monkeypatch, None)
    assert (info["name"], info["uuid"], info["driver"]) == ("NVIDIA H100 80GB HBM3", UUID, None)
    assert "nvidia-ml-py is not installed" in info["unread"]["nvml"]

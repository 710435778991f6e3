import importlib
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fake_nvml import (
    UUID,
    FakeNvml,
    NVMLError,
    NVMLError_LibraryNotFound,
    answers,
    process,
    slice_of_a_device,
)
from msanet_bench.measure import nvml as nvml_module
from msanet_bench.measure import telemetry, throttle
from msanet_bench.measure.nvml import (
    NO_GPU,
    Foreign,
    Gpu,
    ask,
    ask_newest,
    foreign_processes,
    gpu_of,
    open_gpu,
)

V3, V2 = "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"
OWN = frozenset({4711, 4712})


def opened(monkeypatch: pytest.MonkeyPatch, fake: FakeNvml, uuid: str = UUID) -> Gpu:
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return open_gpu(uuid)


@pytest.mark.parametrize("given", [UUID, f"GPU-{UUID}"])
def test_a_device_is_opened_by_its_uuid_with_or_without_prefix(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    gpu = opened(monkeypatch, FakeNvml(), given)
    assert (gpu.handle, gpu.unread) == (("handle", f"GPU-{UUID}"), {})


@pytest.mark.parametrize("given", [UUID, f"MIG-{UUID}"])
def test_a_slice_is_opened_by_its_own_uuid(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    gpu = opened(monkeypatch, slice_of_a_device(), given)
    assert (gpu.handle, gpu.unread) == (("handle", f"MIG-{UUID}"), {})


def test_the_uuid_is_that_of_torchs_device_and_not_of_nvmls_number(monkeypatch: pytest.MonkeyPatch) -> None:
    # with CUDA_VISIBLE_DEVICES=3 torch's device 0 is NVML's device 3
    class Uuid:
        """As torch has it: no text, but one when asked for it."""

        def __str__(self) -> str:
            return UUID

    properties = {0: SimpleNamespace(uuid=Uuid())}
    monkeypatch.setattr(torch.cuda, "get_device_properties", properties.__getitem__)
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml())
    assert gpu_of(0).handle == ("handle", f"GPU-{UUID}")


def test_without_the_module_the_reason_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    gpu = open_gpu(UUID)
    assert gpu.handle is None
    assert gpu.unread == {"nvml": "nvidia-ml-py is not installed (pip install 'msanet-bench[cuda]')"}


def test_without_a_driver_the_reason_is_the_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = opened(monkeypatch, FakeNvml(start=NVMLError_LibraryNotFound()))
    assert (gpu.handle, gpu.unread) == (None, {"nvml": "NVML Shared Library Not Found"})
    assert ask(gpu, "nvmlDeviceGetPowerUsage") is None


def test_an_unknown_uuid_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = opened(monkeypatch, FakeNvml(), "00000000-0000-0000-0000-000000000000")
    assert (gpu.handle, gpu.unread) == (None, {"nvml": "Not Found"})


def test_a_question_without_an_answer_is_none_and_its_reason_is_kept_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu = opened(monkeypatch, slice_of_a_device())
    assert [ask(gpu, "nvmlDeviceGetClockInfo", 1) for _ in range(3)] == [None, None, None]
    assert ask(gpu, "nvmlDeviceGetClockInfo", 2) is None
    assert gpu.unread == {
        "nvmlDeviceGetClockInfo 1": "Not Supported",
        "nvmlDeviceGetClockInfo 2": "Not Supported",
    }


def test_a_question_that_the_module_does_not_know_has_a_reason_too(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = opened(monkeypatch, FakeNvml())
    assert ask(gpu, "nvmlDeviceGetTomorrow") is None
    assert "no attribute 'nvmlDeviceGetTomorrow'" in gpu.unread["nvmlDeviceGetTomorrow"]


def test_the_newest_question_that_has_an_answer_is_taken_and_zero_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeNvml(newer=NVMLError(), older=0, oldest=7)
    gpu = opened(monkeypatch, fake)
    assert ask_newest(gpu, "newer", "older", "oldest") == 0
    assert fake.asked == ["newer", "older"]
    assert ask_newest(gpu, "newer") is None


def test_no_device_answers_nothing() -> None:
    assert ask(NO_GPU, "nvmlDeviceGetPowerUsage") is None
    assert foreign_processes(NO_GPU) == Foreign(None, None)
    assert NO_GPU.unread == {}


@pytest.mark.parametrize(
    ("processes", "foreign"),
    [
        ([process(4711, 600)], Foreign(0, 0)),
        ([process(4711, 600), process(9, 30), process(10, 4)], Foreign(2, 34)),
        # some drivers list the thread that made the context
        ([process(4712, 0), process(9, 30)], Foreign(1, 30)),
        # the driver of a display on Windows does not tell memory
        ([process(4711, None), process(9, None)], Foreign(1, None)),
        # in a container: one of the two is this process, under the host's number
        ([process(812_001, 600), process(812_002, 30)], Foreign(1, None)),
        ([process(812_001, 600)], Foreign(0, 0)),
        # this process has a context, so a list without it hides others as well
        ([], Foreign(None, None)),
    ],
)
def test_foreign_processes_are_counted(
    monkeypatch: pytest.MonkeyPatch, processes: list[SimpleNamespace], foreign: Foreign
) -> None:
    gpu = opened(monkeypatch, FakeNvml(**{V3: processes}))
    assert foreign_processes(gpu, own=OWN) == foreign


def test_an_older_driver_lists_processes_under_the_older_name(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(**{V3: NVMLError(), V2: [process(4711, 1), process(5, 8)]})
    assert foreign_processes(opened(monkeypatch, fake), own=OWN) == Foreign(1, 8)


def test_a_device_that_lists_no_processes_is_not_taken_for_an_empty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert foreign_processes(opened(monkeypatch, slice_of_a_device()), own=OWN) == Foreign(None, None)


def test_the_own_process_is_known_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(**{V3: [process(os.getpid(), 1), process(0, 5)]})
    assert foreign_processes(opened(monkeypatch, fake)) == Foreign(1, 5)


def test_the_fake_has_the_names_and_values_of_the_real_module() -> None:
    real: Any = pytest.importorskip("pynvml", reason="NOT CHECKED: nvidia-ml-py is not installed")
    assert [name for name in [*answers(), V2, "nvmlInit"] if not hasattr(real, name)] == []
    for name in ("NVMLError_NotFound", "NVMLError_InvalidArgument", "NVMLError_NotSupported"):
        assert issubclass(getattr(real, name), real.NVMLError)
        assert str(getattr(real, name)()) == getattr(importlib.import_module("fake_nvml"), name).text
    assert (telemetry.CLOCK_SM, telemetry.CLOCK_MEMORY) == (real.NVML_CLOCK_SM, real.NVML_CLOCK_MEM)
    assert telemetry._SENSOR_GPU == real.NVML_TEMPERATURE_GPU
    assert (throttle._POWER, throttle._THERMAL) == (
        real.NVML_PERF_POLICY_POWER,
        real.NVML_PERF_POLICY_THERMAL,
    )
    assert throttle._BOARD_LIMIT == real.NVML_PERF_POLICY_BOARD_LIMIT
    bits = {
        value
        for name, value in vars(real).items()
        if name.startswith("nvmlClocksThrottleReason") and not name.endswith(("All", "None"))
    }
    assert set(throttle.REASONS) == bits
    slowing = "SwPowerCap HwSlowdown SwThermalSlowdown HwThermalSlowdown HwPowerBrakeSlowdown BoardLimit"
    named = sum(getattr(real, f"nvmlClocksThrottleReason{name}") for name in slowing.split())
    assert named == throttle.SLOWING


def test_the_real_module_without_a_driver_gives_a_reason() -> None:
    real: Any = pytest.importorskip("pynvml", reason="NOT CHECKED: nvidia-ml-py is not installed")
    if torch.cuda.is_available():
        pytest.skip("NOT CHECKED: this machine has a driver")
    gpu = nvml_module.open_gpu(UUID)
    assert gpu.nvml is real
    assert gpu.handle is None
    assert gpu.unread["nvml"]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="NOT CHECKED: no CUDA device")
def test_a_real_device_answers_by_its_uuid() -> None:
    pytest.importorskip("pynvml", reason="NOT CHECKED: nvidia-ml-py is not installed")
    gpu = gpu_of(0)
    assert str(torch.cuda.get_device_properties(0).uuid) in ask(gpu, "nvmlDeviceGetUUID")

import os
import resource
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fake_nvml import UUID, FakeNvml, NVMLError_FunctionNotFound, NVMLError_NotSupported, slice_of_a_device
from msanet_bench.measure.nvml import NO_GPU, gpu_of, open_gpu
from msanet_bench.measure.telemetry import Telemetry, read_telemetry
from msanet_bench.measure.throttle import slowdowns

EVENT, THROTTLE = "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"
DEVICE_COLUMNS = ("sm_mhz", "memory_mhz", "temperature_c", "power_w", "event_reasons")
STAT = "cpu  43355 0 8793 90204 437 0 64 167 12 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
# the name of a process may hold spaces and parentheses
SELF = "17 (a) b (c) S " + " ".join(str(field) for field in range(4, 39)) + " 5 0 0\n"


def machine(root: Path) -> Path:
    """A root folder in which field 39 of /proc/self/stat names processor 5, which runs at 2.8 GHz."""
    cpufreq = root / "sys/devices/system/cpu/cpu5/cpufreq"
    cpufreq.mkdir(parents=True)
    (cpufreq / "scaling_cur_freq").write_text("2800000\n", encoding="ascii")
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/stat").write_text(STAT, encoding="ascii")
    (root / "proc/self/stat").write_text(SELF, encoding="ascii")
    return root


def seen(monkeypatch: pytest.MonkeyPatch, fake: FakeNvml) -> Telemetry:
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return read_telemetry(open_gpu(UUID))


def of_device(look: Telemetry) -> dict[str, Any]:
    return {name: value for name, value in asdict(look).items() if name in DEVICE_COLUMNS}


def test_a_device_is_read_in_the_units_of_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    look = seen(monkeypatch, FakeNvml(**{EVENT: 0x4}))
    assert of_device(look) == {
        "sm_mhz": 1755,
        "memory_mhz": 2619,
        "temperature_c": 41,
        "power_w": pytest.approx(312.4),  # 312,400 mW
        "event_reasons": 0x4,
    }
    assert slowdowns(look.event_reasons) == ("power cap",)


def test_an_older_driver_tells_the_reasons_under_the_older_name(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(**{EVENT: NVMLError_FunctionNotFound(), THROTTLE: 0x20})
    assert seen(monkeypatch, fake).event_reasons == 0x20


def test_an_older_module_tells_the_reasons_under_the_older_name(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(**{THROTTLE: 0x20})
    del fake.answers[EVENT]
    assert seen(monkeypatch, fake).event_reasons == 0x20


def test_no_reason_by_the_newer_name_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml(**{EVENT: 0, THROTTLE: 0x20})
    assert seen(monkeypatch, fake).event_reasons == 0
    assert THROTTLE not in fake.asked


def absent(look: Telemetry) -> None:
    assert of_device(look) == dict.fromkeys(DEVICE_COLUMNS)


def test_a_slice_has_no_clock_power_or_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    absent(seen(monkeypatch, slice_of_a_device()))


def test_a_look_without_a_device_has_none_of_its_columns() -> None:
    absent(read_telemetry())
    absent(read_telemetry(NO_GPU))


@pytest.mark.parametrize("column", DEVICE_COLUMNS)
def test_a_zero_for_a_missing_value_would_be_seen(column: str) -> None:
    with pytest.raises(AssertionError):
        absent(replace(read_telemetry(), **{column: 0}))


def test_one_question_without_an_answer_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    look = seen(monkeypatch, FakeNvml(nvmlDeviceGetPowerUsage=NVMLError_NotSupported()))
    assert (look.power_w, look.temperature_c, look.sm_mhz) == (None, 41, 1755)


def test_the_host_is_read_as_linux_tells_it(tmp_path: Path) -> None:
    look = read_telemetry(root=machine(tmp_path))
    assert look.steal_ticks == 167
    assert look.cpu_mhz == pytest.approx(2800.0)


@pytest.mark.parametrize("lost", ["proc/stat", "proc/self/stat", "sys/devices/system/cpu/cpu5"])
def test_what_the_host_does_not_tell_is_none(tmp_path: Path, lost: str) -> None:
    root = machine(tmp_path)
    (root / lost).rename(root / "away")
    look = read_telemetry(root=root)
    assert (look.steal_ticks is None) == (lost == "proc/stat")
    assert (look.cpu_mhz is None) == (lost != "proc/stat")


def test_a_kernel_that_counts_no_steal_has_none(tmp_path: Path) -> None:
    root = machine(tmp_path)
    (root / "proc/stat").write_text("cpu  1 2 3 4\n", encoding="ascii")
    assert read_telemetry(root=root).steal_ticks is None


def test_load_and_switches_are_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    monkeypatch.setattr(os, "getloadavg", lambda: (3.5, 2.0, 1.0))
    look = read_telemetry()
    assert look.load == 3.5
    assert before <= look.involuntary_switches <= resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def test_a_machine_without_a_load_average_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[float, float, float]:
        raise OSError

    monkeypatch.setattr(os, "getloadavg", refuse)
    assert read_telemetry().load is None


def test_a_look_is_flat_and_cheap() -> None:
    start = time.perf_counter()
    looks = [read_telemetry() for _ in range(100)]
    # measured: 0.06 ms each; the bound only keeps out what runs a program or sleeps
    assert time.perf_counter() - start < 100 * 5e-3
    assert {type(value) for look in looks for value in asdict(look).values()} <= {int, float, type(None)}


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="NOT CHECKED: no CUDA device")
def test_a_real_device_that_works_has_telemetry() -> None:
    pytest.importorskip("pynvml", reason="NOT CHECKED: nvidia-ml-py is not installed")
    matrix = torch.randn(4096, 4096, device="cuda")
    torch.mm(matrix, matrix)
    torch.cuda.synchronize()
    assert any(value is not None for value in of_device(read_telemetry(gpu_of(0))).values())

import os

import pytest

from msanet_bench.errors import BenchError
from msanet_bench.sweep.devices import Devices, parse_devices

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("text", "visible", "devices"),
    [
        ("auto", [], Devices("cpu")),
        ("cpu", ["0", "1"], Devices("cpu")),
        ("auto", ["0", "1"], Devices("cuda", ("0", "1"))),
        ("1", ["0", "1"], Devices("cuda", ("1",))),
        # a cluster lent the third and the fifth device: CUDA counts those
        ("1, 0", ["2", "4"], Devices("cuda", ("4", "2"))),
        ("GPU-8f3c", ["0"], Devices("cuda", ("GPU-8f3c",))),
    ],
)
def test_devices_are_counted_as_cuda_counts_them(text: str, visible: list[str], devices: Devices) -> None:
    assert parse_devices(text, visible) == devices


@pytest.mark.parametrize(
    ("text", "visible", "message"),
    [
        ("2", ["0", "1"], "but got '2'; 2 CUDA devices are visible here."),
        ("0", [], "but got '0'; 0 CUDA devices are visible here."),
        ("GPU-8f3c", [], "but got 'GPU-8f3c'; 0 CUDA devices are visible here."),
        ("gpu", ["0"], "but got 'gpu'; 1 CUDA device is visible here."),
        ("cpu,0", ["0"], "but got 'cpu'; 1 CUDA device is visible here."),
        ("-1", ["0"], "but got '-1'"),
        ("", ["0"], "but got ''"),
        ("0,0", ["0"], "each device once, but got '0,0'"),
    ],
)
def test_a_device_that_is_not_there_is_refused(text: str, visible: list[str], message: str) -> None:
    with pytest.raises(BenchError) as error:
        parse_devices(text, visible)
    assert message in str(error.value)


def test_a_slot_a_device_and_workers_are_dealt_in_turn() -> None:
    devices = Devices("cuda", ("0", "GPU-8f3c"))
    zero, other = {"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "GPU-8f3c"}
    assert devices.slots(None) == [zero, other]
    assert devices.slots(1) == [zero]
    assert devices.slots(5) == [zero, other, zero, other, zero]


def test_on_a_cpu_a_slot_a_core_and_no_device_in_sight() -> None:
    assert Devices("cpu").slots(None) == [{"CUDA_VISIBLE_DEVICES": ""}] * CORES
    assert Devices("cpu").slots(3) == [{"CUDA_VISIBLE_DEVICES": ""}] * 3

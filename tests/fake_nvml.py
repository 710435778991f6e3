"""A stand-in for the module `pynvml` of nvidia-ml-py 13.615.71: its names, values, errors, and one device.

`tests/test_measure_nvml.py` compares names and values with the real module where that is installed.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

UUID = "ffc79498-8ff3-c2dc-3b0d-fafd804516ae"
SM, MEMORY = 1, 2
POWER, THERMAL, BOARD_LIMIT = 0, 1, 3


class NVMLError(Exception):
    text = "Unknown Error"

    def __str__(self) -> str:
        return self.text


class NVMLError_NotSupported(NVMLError):  # noqa: N801  # the module's name
    text = "Not Supported"


class NVMLError_NotFound(NVMLError):  # noqa: N801  # the module's name
    text = "Not Found"


class NVMLError_InvalidArgument(NVMLError):  # noqa: N801  # the module's name
    text = "Invalid Argument"


class NVMLError_FunctionNotFound(NVMLError):  # noqa: N801  # the module's name
    text = "Function Not Found"


class NVMLError_LibraryNotFound(NVMLError):  # noqa: N801  # the module's name
    text = "NVML Shared Library Not Found"


def process(pid: int, memory: int | None) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=memory, gpuInstanceId=None, computeInstanceId=None)


def violation(nanoseconds: int) -> SimpleNamespace:
    return SimpleNamespace(referenceTime=1_760_000_000_000_000, violationTime=nanoseconds)


def answers() -> dict[str, Any]:
    """What a healthy H100 might answer: a value, or a table of values by the argument after the handle."""
    return {
        "nvmlDeviceGetClockInfo": {SM: 1755, MEMORY: 2619},
        "nvmlDeviceGetMaxClockInfo": {SM: 1980, MEMORY: 2619},
        "nvmlDeviceGetApplicationsClock": {SM: 1980, MEMORY: 2619},
        "nvmlDeviceGetDefaultApplicationsClock": {SM: 1980, MEMORY: 2619},
        "nvmlDeviceGetTemperature": {0: 41},
        "nvmlDeviceGetPowerUsage": 312_400,
        "nvmlDeviceGetEnforcedPowerLimit": 700_000,
        "nvmlDeviceGetPowerManagementDefaultLimit": 700_000,
        "nvmlDeviceGetCurrentClocksEventReasons": 0,
        "nvmlDeviceGetViolationStatus": {
            POWER: violation(7_000),
            THERMAL: violation(0),
            BOARD_LIMIT: violation(11),
        },
        "nvmlDeviceGetComputeRunningProcesses_v3": [process(4711, 600 << 20)],
        "nvmlDeviceGetName": "NVIDIA H100 80GB HBM3",
        "nvmlDeviceGetUUID": f"GPU-{UUID}",
        "nvmlDeviceGetVbiosVersion": "96.00.74.00.01",
        "nvmlDeviceGetPersistenceMode": 1,
        "nvmlDeviceGetComputeMode": 0,
        "nvmlDeviceGetEccMode": [1, 1],
        "nvmlDeviceGetMigMode": [0, 0],
        "nvmlDeviceGetCurrPcieLinkGeneration": 5,
        "nvmlDeviceGetCurrPcieLinkWidth": 16,
        "nvmlDeviceGetMaxPcieLinkGeneration": 5,
        "nvmlDeviceGetMaxPcieLinkWidth": 16,
    }


class FakeNvml:
    """The module with one device: it raises an answer that is an error, and knows none that is missing.

    Attributes:
        asked: The functions that were called on the device, in order.
    """

    NVMLError = NVMLError
    NVMLError_NotFound = NVMLError_NotFound
    NVMLError_InvalidArgument = NVMLError_InvalidArgument

    def __init__(self, *, uuid: str = f"GPU-{UUID}", start: NVMLError | None = None, **changes: Any) -> None:
        self.uuid, self.start = uuid, start
        self.answers = answers() | changes
        self.asked: list[str] = []

    def nvmlInit(self) -> None:  # noqa: N802  # the module's name
        if self.start is not None:
            raise self.start

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802  # the module's name
        return "580.95.05"

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> object:  # noqa: N802  # the module's name
        if uuid != self.uuid:
            raise NVMLError_NotFound
        return ("handle", uuid)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self.answers:
            raise AttributeError(f"module 'pynvml' has no attribute '{name}'")

        def question(handle: object, *arguments: int) -> Any:
            assert handle == ("handle", self.uuid)
            self.asked.append(name)
            answer = self.answers[name]
            answer = answer[arguments[0]] if isinstance(answer, dict) else answer
            if isinstance(answer, NVMLError):
                raise answer
            return answer

        return question


def slice_of_a_device() -> FakeNvml:
    """A slice (MIG): it has a UUID and a name, and answers nothing about clocks, power or temperature."""
    unsupported = dict.fromkeys(answers(), NVMLError_NotSupported())
    known = {"nvmlDeviceGetName": "NVIDIA H100 80GB HBM3 MIG 1g.10gb", "nvmlDeviceGetUUID": f"MIG-{UUID}"}
    return FakeNvml(uuid=f"MIG-{UUID}", **(unsupported | known))

"""How long one call takes on a device: all that a latency session may know of hardware."""

import time
from collections.abc import Callable
from typing import Any, Literal, Protocol

import torch

DeviceName = Literal["cpu", "cuda"]

NANOSECOND = 1e-9
_MILLISECOND = 1e-3


class Device(Protocol):
    """A clock and a stopwatch."""

    @property
    def name(self) -> DeviceName: ...

    @property
    def threads(self) -> int:
        """Threads that one call may use on the host."""
        ...

    def now_ns(self) -> int:
        """A monotonic time on the host, for the order of calls; its zero means nothing."""
        ...

    def time_call(self, call: Callable[[], object]) -> float:
        """Seconds from the start of one call to the end of its work."""
        ...


class CpuDevice:
    """The host's processor, by its finest clock."""

    name: DeviceName = "cpu"

    @property
    def threads(self) -> int:
        return torch.get_num_threads()

    def now_ns(self) -> int:
        return time.perf_counter_ns()

    def time_call(self, call: Callable[[], object]) -> float:
        start = time.perf_counter_ns()
        call()
        return (time.perf_counter_ns() - start) * NANOSECOND


class CudaDevice:
    """One CUDA device, by events on the stream that does the work.

    The events stand around an eager call: for a small network, whose kernels are over before the next one is
    launched, that is the time of launching them. An event resolves about half a microsecond.
    """

    name: DeviceName = "cuda"

    def __init__(self, index: int = 0) -> None:
        self._device = torch.device("cuda", index)

    @property
    def threads(self) -> int:
        return torch.get_num_threads()

    def now_ns(self) -> int:
        return time.perf_counter_ns()

    def time_call(self, call: Callable[[], object]) -> float:
        # An event belongs to the current device and its stream, which need not be this one.
        with torch.cuda.device(self._device):
            start, end = _event(), _event()
            torch.cuda.synchronize()  # work that is still queued would be counted
            start.record()
            call()
            end.record()
            torch.cuda.synchronize()  # `elapsed_time` needs both events to have passed
            return float(start.elapsed_time(end)) * _MILLISECOND


def _event() -> Any:  # noqa: ANN401  # torch leaves the class without annotations
    make: Any = torch.cuda.Event
    return make(enable_timing=True)

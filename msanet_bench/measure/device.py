"""The device port, which is all that a latency session may know of hardware, and the host's processor."""

import time
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias

import torch

from msanet_bench.measure.telemetry import Telemetry, read_telemetry

DeviceName = Literal["cpu", "cuda"]
Call: TypeAlias = Callable[[], object]

NANOSECOND = 1e-9
# larger than the last-level cache of any processor or accelerator so far
FLUSH_BYTES = 256 * 2**20


class CaptureError(Exception):
    """A call cannot be captured for replay; the message says why."""


class Event(Protocol):
    """A moment in the order of a device's work."""

    def seconds_since(self, start: Any) -> float:  # noqa: ANN401  # an event of the same device
        """Seconds from one moment to another, both of them past."""
        ...


class Device(Protocol):
    """Something that runs calls, in order, perhaps behind the host's back."""

    @property
    def name(self) -> DeviceName: ...

    @property
    def threads(self) -> int:
        """Threads that one call may use on the host."""
        ...

    def now_ns(self) -> int:
        """A monotonic time on the host; its zero means nothing."""
        ...

    def event(self) -> Event:
        """Mark the place after all that was queued so far."""
        ...

    def synchronize(self) -> None:
        """Wait until all that was queued is done."""
        ...

    def run(self, call: Call) -> None:
        """Queue one call."""
        ...

    def flush(self) -> None:
        """Queue what drives other data out of the caches."""
        ...

    def hold(self, seconds: float) -> None:
        """Queue a pause, in which the host can queue what follows it."""
        ...

    def capture(self, call: Call) -> Call:
        """The same work as one launch.

        Raises:
            CaptureError: the device cannot.
        """
        ...

    def telemetry(self) -> Telemetry:
        """The state of device and host; never called while something is timed."""
        ...


class HostEvent:
    """A moment on the host's clock."""

    def __init__(self) -> None:
        self.at_ns = time.perf_counter_ns()

    def seconds_since(self, start: "HostEvent") -> float:
        return (self.at_ns - start.at_ns) * NANOSECOND


class CpuDevice:
    """The host's processor: whatever is run is done when the call returns."""

    name: DeviceName = "cpu"

    def __init__(self) -> None:
        self._ballast: torch.Tensor | None = None

    @property
    def threads(self) -> int:
        return torch.get_num_threads()

    def now_ns(self) -> int:
        return time.perf_counter_ns()

    def event(self) -> HostEvent:
        return HostEvent()

    def synchronize(self) -> None:
        """Nothing is ever queued."""

    def run(self, call: Call) -> None:
        call()

    def flush(self) -> None:
        if self._ballast is None:
            self._ballast = torch.empty(FLUSH_BYTES, dtype=torch.uint8)
        self._ballast.zero_()

    def hold(self, seconds: float) -> None:
        """Nothing is ever queued."""

    def capture(self, call: Call) -> Call:
        raise CaptureError(f"a processor has no graphs to capture {call} into")

    def telemetry(self) -> Telemetry:
        return read_telemetry()

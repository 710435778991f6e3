"""A device that works behind the host's back, in simulated time; each of its flaws can be switched on."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from msanet_bench.measure.device import Call, CaptureError, DeviceName
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.session.run import Place

BUSY = Telemetry(1980, 2619, 41, 312.4, 0, None, 0, 0, None)


def by_image(output: object) -> float:
    """Half a millisecond an image, or a thousandth of that for what is no batch."""
    is_batch = isinstance(output, Tensor) and output.dim() > 0
    return 5e-4 * len(output) if is_batch else 5e-7


@dataclass
class Simulated:
    """Calls are computed at once, and take as long as `cost` says of what they return.

    Attributes:
        launch: Seconds for which the host is busy with a call.
        event_scale: How fast the clock of the events runs.
        cold: How many times as long a call takes after a flush.
        stale: Whether a replay leaves the output of the capture where it is.
        jitter: A factor on the cost of the number of a call.
    """

    cost: Callable[[object], float] = by_image
    launch: float = 1e-6
    event_scale: float = 1.0
    cold: float = 1.5
    stale: bool = False
    captures: bool = True
    state: Telemetry = BUSY
    jitter: Callable[[int], float] = lambda _: 1.0
    name: DeviceName = "cuda"
    threads: int = 1
    host: float = 0.0
    queue_ends: float = 0.0
    is_cold: bool = False
    calls: int = 0

    def now_ns(self) -> int:
        return round(self.host * 1e9)

    def event(self) -> "SimulatedEvent":
        return SimulatedEvent(self, max(self.host, self.queue_ends))

    def synchronize(self) -> None:
        self.host = max(self.host, self.queue_ends)

    def run(self, call: Call) -> None:
        self.host += self.launch
        seconds = self.cost(call()) * self.jitter(self.calls) * (self.cold if self.is_cold else 1.0)
        self.queue_ends = max(self.host, self.queue_ends) + seconds
        self.calls, self.is_cold = self.calls + 1, False

    def flush(self) -> None:
        self.queue_ends = max(self.host, self.queue_ends) + 1e-4
        self.is_cold = True

    def hold(self, seconds: float) -> None:
        self.queue_ends = max(self.host, self.queue_ends) + seconds

    def capture(self, call: Call) -> Call:
        if not self.captures:
            raise CaptureError("operation not permitted when stream is capturing")
        call()
        return (lambda: None) if self.stale else call

    def telemetry(self) -> Telemetry:
        return self.state


@dataclass
class SimulatedEvent:
    device: Simulated
    at: float

    def seconds_since(self, start: "SimulatedEvent") -> float:
        if self.at > self.device.host:
            raise RuntimeError("the end event has not passed")
        return (self.at - start.at) * self.device.event_scale


def place(**flaws: object) -> Place:
    """The device, with tensors where there is one to compute them."""
    return Place(Simulated(**flaws), torch.device("cpu"))

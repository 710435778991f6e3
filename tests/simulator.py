"""A host and a device that works behind its back: two clocks, streams, caches, regimes. No hardware.

`FakeDevice` is this machine behind the device port. `FakeCuda` is the same machine behind the names of
torch.cuda, for the tests of `CudaDevice`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import torch

from msanet_bench.measure.device import Call, CaptureError, DeviceName
from msanet_bench.measure.telemetry import Telemetry

LAUNCH_S = 8e-6
FLUSH_S = 3e-4
FULL_MHZ = 1980
POWER_CAP = 0x004

Regime = Callable[[float], float]


@dataclass
class Simulator:
    """Seconds on both sides; a kernel starts when its stream is free, and not before it was launched.

    Attributes:
        speed: Of the device at a time of its own; 0.5 takes twice as long.
        reasons: NVML's bits at a time of the device.
    """

    speed: Regime = lambda _: 1.0
    reasons: Callable[[float], int] = lambda _: 0
    launch_s: float = LAUNCH_S
    host_s: float = 0.0
    ends: dict[int, float] = field(default_factory=lambda: {0: 0.0})
    stream: int = 0
    is_cold: bool = False
    capturing: list[float] | None = None

    def launch(self, seconds: float, *, cold_penalty: float = 0.0) -> None:
        """Queue one kernel on the current stream."""
        if self.capturing is not None:
            self.capturing.append(seconds)
            return
        self.host_s += self.launch_s
        start = max(self.host_s, self.ends[self.stream])
        penalty, self.is_cold = (cold_penalty if self.is_cold else 0.0), False
        self.ends[self.stream] = start + (seconds + penalty) / self.speed(start)

    def pause(self, seconds: float) -> None:
        """Queue a kernel that touches no data."""
        was_cold = self.is_cold
        self.launch(seconds)
        self.is_cold = was_cold

    def synchronize(self) -> None:
        self.host_s = max(self.host_s, *self.ends.values())

    def flush(self) -> None:
        self.launch(FLUSH_S)
        self.is_cold = True

    def network(
        self, kernels: int, kernel_s: float, *, first_call_s: float = 0.0, cold_penalty: float = 0.0
    ) -> Call:
        """A call that launches its kernels one after the other; the first call also waits on the host."""
        calls = 0

        def call() -> None:
            nonlocal calls
            if calls == 0:
                self.host_s += first_call_s
            calls += 1
            for number in range(kernels):
                self.launch(kernel_s, cold_penalty=cold_penalty if number == 0 else 0.0)

        return call

    def captured(self, call: Call) -> Call:
        """All kernels of a call in one launch."""
        self.capturing = []
        call()
        seconds, self.capturing = sum(self.capturing), None
        return lambda: self.launch(seconds)


class FakeEvent:
    """A place in the order of a stream."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.passes_s = max(simulator.host_s, simulator.ends[simulator.stream])

    def seconds_since(self, start: "FakeEvent") -> float:
        if self.passes_s > self.simulator.host_s:
            raise RuntimeError("the event has not passed: synchronize first")
        return self.passes_s - start.passes_s


class FakeDevice:
    """The simulator behind the device port."""

    threads = 1

    def __init__(
        self, simulator: Simulator | None = None, *, name: DeviceName = "cuda", can_capture: bool = True
    ) -> None:
        self.simulator = simulator or Simulator()
        self.name: DeviceName = name
        self.can_capture = can_capture

    def now_ns(self) -> int:
        return round(1e9 * self.simulator.host_s)

    def event(self) -> FakeEvent:
        return FakeEvent(self.simulator)

    def synchronize(self) -> None:
        self.simulator.synchronize()

    def run(self, call: Call) -> None:
        call()

    def flush(self) -> None:
        self.simulator.flush()

    def hold(self, seconds: float) -> None:
        self.simulator.pause(seconds)

    def capture(self, call: Call) -> Call:
        if not self.can_capture:
            raise CaptureError("operation not permitted when stream is capturing")
        return self.simulator.captured(call)

    def telemetry(self) -> Telemetry:
        now = self.simulator.host_s
        mhz = round(FULL_MHZ * self.simulator.speed(now))
        return Telemetry(mhz, 2619, 50, 300.0, self.simulator.reasons(now), None, 0, 0, None)


class FakeCuda:
    """The simulator behind torch.cuda: two devices, of which one is the current one."""

    def __init__(self, simulator: Simulator | None = None) -> None:
        self.simulator = simulator or Simulator()
        self.current = 0
        self.streams = 1
        self.synchronized: list[torch.device | None] = []
        self.graph_fails = ""

    def namespace(self) -> SimpleNamespace:
        cuda = SimpleNamespace(
            device=self.device,
            Event=self.make_event,
            Stream=self.make_stream,
            CUDAGraph=self.make_graph,
            synchronize=self.synchronize,
            stream=self.on_stream,
            current_stream=lambda _=None: SimpleNamespace(number=0, wait_stream=lambda _: None),
            graph=self.capture,
            get_device_properties=lambda _: SimpleNamespace(L2_cache_size=50 * 2**20),
            _sleep=lambda cycles: self.simulator.pause(cycles / 2e9),
        )
        return SimpleNamespace(
            cuda=cuda, device=torch.device, empty=self.empty, int32=torch.int32, get_num_threads=lambda: 3
        )

    def clock(self) -> SimpleNamespace:
        """The host's, in place of the module `time`."""
        return SimpleNamespace(perf_counter_ns=lambda: round(1e9 * self.simulator.host_s))

    def synchronize(self, device: torch.device | None = None) -> None:
        self.synchronized.append(device)
        self.simulator.synchronize()

    @contextmanager
    def device(self, wanted: torch.device) -> Iterator[None]:
        self.current, before = wanted.index, self.current
        yield
        self.current = before

    def make_event(self, *, enable_timing: bool) -> "CudaEvent":
        assert enable_timing
        return CudaEvent(self)

    def make_stream(self, _: object = None) -> SimpleNamespace:
        number = self.streams
        self.streams += 1
        self.simulator.ends[number] = self.simulator.host_s
        return SimpleNamespace(number=number, wait_stream=lambda _: None)

    @contextmanager
    def on_stream(self, stream: SimpleNamespace) -> Iterator[None]:
        self.simulator.stream, before = stream.number, self.simulator.stream
        yield
        self.simulator.stream = before

    def make_graph(self) -> SimpleNamespace:
        return SimpleNamespace(seconds=0.0, replay=None)

    @contextmanager
    def capture(self, graph: SimpleNamespace) -> Iterator[None]:
        if self.graph_fails:
            raise RuntimeError(self.graph_fails)
        self.simulator.capturing = []
        yield
        seconds, self.simulator.capturing = sum(self.simulator.capturing), None
        graph.replay = lambda: self.simulator.launch(seconds)

    def empty(self, size: int, **_: object) -> SimpleNamespace:
        self.ballast_elements = size
        return SimpleNamespace(zero_=self.simulator.flush)


class CudaEvent:
    """An event of torch: milliseconds, and recorded on a stream of the current device."""

    def __init__(self, cuda: FakeCuda) -> None:
        self.cuda = cuda

    def record(self, stream: SimpleNamespace | None = None) -> None:
        simulator = self.cuda.simulator
        number = simulator.stream if stream is None else stream.number
        self.passes_s, self.device = max(simulator.host_s, simulator.ends[number]), self.cuda.current

    def elapsed_time(self, end: "CudaEvent") -> float:
        if end.passes_s > self.cuda.simulator.host_s:
            raise RuntimeError("the end event has not passed")
        assert self.device == end.device, "events of two devices"
        return (end.passes_s - self.passes_s) * 1e3

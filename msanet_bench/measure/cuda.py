"""One CUDA device behind the device port."""

import time
from typing import Any

import torch
from torch import OutOfMemoryError

from msanet_bench.measure.device import FLUSH_BYTES, Call, CaptureError, DeviceName
from msanet_bench.measure.nvml import gpu_of
from msanet_bench.measure.telemetry import Telemetry, read_telemetry

_MILLISECOND = 1e-3
_CAPTURE_WARM_UPS = 3
# `torch.cuda._sleep` counts cycles; at a lower clock the pause is longer, which does no harm
_CYCLES_PER_SECOND = 2_000_000_000


class _Replay:
    """One launch of a graph. It holds addresses: what lies there, which the call has, must live as long."""

    def __init__(self, graph: Any, call: Call) -> None:  # noqa: ANN401  # torch leaves the class without annotations
        self._graph, self._keeps_alive = graph, call

    def __call__(self) -> None:
        self._graph.replay()


class CudaEvent:
    """A moment in the order of a stream; it resolves about half a microsecond."""

    def __init__(self, event: Any) -> None:  # noqa: ANN401  # torch leaves the class without annotations
        self._event = event

    def seconds_since(self, start: "CudaEvent") -> float:
        return float(start._event.elapsed_time(self._event)) * _MILLISECOND  # noqa: SLF001  # of its own kind


class CudaDevice:
    """One CUDA device, its work on the stream that is current there.

    An event belongs to the current device and its stream, which need not be this one: everything happens
    with this device as the current one.
    """

    name: DeviceName = "cuda"

    def __init__(self, index: int = 0) -> None:
        self.device = torch.device("cuda", index)
        self.gpu = gpu_of(index)
        self._ballast: torch.Tensor | None = None

    @property
    def threads(self) -> int:
        return torch.get_num_threads()

    def now_ns(self) -> int:
        return time.perf_counter_ns()

    def event(self) -> CudaEvent:
        with torch.cuda.device(self.device):
            make: Any = torch.cuda.Event
            event = make(enable_timing=True)
            event.record()
            return CudaEvent(event)

    def synchronize(self) -> None:
        torch.cuda.synchronize(self.device)

    def run(self, call: Call) -> None:
        with torch.cuda.device(self.device):
            call()

    def flush(self) -> None:
        if self._ballast is None:
            l2_bytes = torch.cuda.get_device_properties(self.device).L2_cache_size
            size = max(FLUSH_BYTES, 2 * l2_bytes)
            self._ballast = torch.empty(size // 4, dtype=torch.int32, device=self.device)
        self._ballast.zero_()

    def hold(self, seconds: float) -> None:
        sleep: Any = torch.cuda._sleep  # noqa: SLF001  # the only pause torch has
        with torch.cuda.device(self.device):
            sleep(int(seconds * _CYCLES_PER_SECOND))

    def capture(self, call: Call) -> Call:
        """A CUDA graph of the call; its inputs must stay where they are.

        Raises:
            CaptureError: something in the call cannot be captured.
        """
        with torch.cuda.device(self.device):
            try:
                graph = self._graph(call)
            except OutOfMemoryError:
                raise
            except RuntimeError as error:
                torch.cuda.synchronize(self.device)
                raise CaptureError(str(error)) from error
        return _Replay(graph, call)

    def _graph(self, call: Call) -> Any:  # noqa: ANN401  # torch leaves the class without annotations
        # capture wants libraries and autotuners ready, on a stream other than the default one
        stream: Any = torch.cuda.Stream
        side = stream(self.device)
        side.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(side):
            for _ in range(_CAPTURE_WARM_UPS):
                call()
        torch.cuda.current_stream(self.device).wait_stream(side)
        make: Any = torch.cuda.CUDAGraph
        graph = make()
        with torch.cuda.graph(graph):
            call()
        return graph

    def telemetry(self) -> Telemetry:
        return read_telemetry(self.gpu)

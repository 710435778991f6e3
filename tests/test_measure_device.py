import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

from msanet_bench.measure import device as device_module
from msanet_bench.measure.device import CpuDevice, CudaDevice


def test_a_cpu_call_takes_as_long_as_it_takes() -> None:
    cpu = CpuDevice()
    assert 0.02 <= cpu.time_call(lambda: time.sleep(0.02)) < 1.0
    assert cpu.name == "cpu"
    assert cpu.threads == torch.get_num_threads()
    assert cpu.now_ns() <= cpu.now_ns()


class FakeCuda:
    """Two clocks, as on a real machine: a launch costs the host little, and the device works on behind it."""

    def __init__(self) -> None:
        self.host, self.queue_ends = 0.0, 0.0
        self.current = 0

    def launch(self, seconds: float) -> None:
        self.host += 1e-5
        self.queue_ends = max(self.queue_ends, self.host) + seconds

    def synchronize(self) -> None:
        self.host = max(self.host, self.queue_ends)

    @contextmanager
    def device(self, wanted: torch.device) -> Iterator[None]:
        self.current, before = wanted.index, self.current
        yield
        self.current = before

    def make_event(self, *, enable_timing: bool) -> "FakeEvent":
        assert enable_timing
        return FakeEvent(self)


class FakeEvent:
    def __init__(self, cuda: FakeCuda) -> None:
        self.cuda = cuda

    def record(self) -> None:
        self.passes_at, self.device = max(self.cuda.host, self.cuda.queue_ends), self.cuda.current

    def elapsed_time(self, end: "FakeEvent") -> float:
        """Milliseconds, as torch has it."""
        if end.passes_at > self.cuda.host:
            raise RuntimeError("the end event has not passed")
        assert self.device == end.device
        return (end.passes_at - self.passes_at) * 1e3


def timed_on(cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]) -> float:
    namespace = SimpleNamespace(device=cuda.device, Event=cuda.make_event, synchronize=cuda.synchronize)
    monkeypatch.setattr(device_module, "torch", SimpleNamespace(cuda=namespace, device=torch.device))
    return CudaDevice(index=1).time_call(call)


def test_a_cuda_call_is_timed_to_the_end_of_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda()
    assert timed_on(cuda, monkeypatch, lambda: cuda.launch(5e-3)) == pytest.approx(5e-3, abs=2e-5)


def test_work_that_was_queued_before_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda()
    cuda.launch(1.0)
    assert timed_on(cuda, monkeypatch, lambda: cuda.launch(5e-3)) == pytest.approx(5e-3, abs=2e-5)


def test_the_events_belong_to_the_device_that_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda()
    seen: list[int] = []
    timed_on(cuda, monkeypatch, lambda: seen.append(cuda.current))
    assert (seen, cuda.current) == ([1], 0)


def test_without_waiting_the_time_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda()
    monkeypatch.setattr(cuda, "synchronize", lambda: None)
    with pytest.raises(RuntimeError, match="has not passed"):
        timed_on(cuda, monkeypatch, lambda: cuda.launch(5e-3))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_events_agree_with_the_hosts_clock_on_a_real_device() -> None:
    matrix = torch.randn(4096, 4096, device="cuda")
    gpu = CudaDevice()
    gpu.time_call(lambda: matrix @ matrix)
    by_events = gpu.time_call(lambda: [matrix @ matrix for _ in range(20)])
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(20):
        matrix @ matrix
    torch.cuda.synchronize()
    assert by_events == pytest.approx(time.perf_counter() - start, rel=0.1)

import gc
import time
import weakref

import pytest
import torch

from msanet_bench.measure import cuda as cuda_module
from msanet_bench.measure.cuda import CudaDevice
from msanet_bench.measure.device import FLUSH_BYTES, Call, CaptureError, CpuDevice
from msanet_bench.measure.nvml import NO_GPU
from msanet_bench.measure.window import Timing, time_window
from simulator import FakeCuda


def test_a_processor_is_done_when_the_call_returns() -> None:
    cpu = CpuDevice()
    window = time_window(cpu, lambda: time.sleep(0.02), Timing())
    assert 0.02 <= window.seconds < 1.0
    assert cpu.name == "cpu"
    assert cpu.threads == torch.get_num_threads()


def test_events_of_a_processor_are_moments_of_its_clock() -> None:
    cpu = CpuDevice()
    first = cpu.event()
    time.sleep(0.01)
    assert 0.01 <= cpu.event().seconds_since(first) < 1.0


def test_a_processor_flushes_more_than_any_cache_and_captures_nothing() -> None:
    cpu = CpuDevice()
    cpu.flush()
    assert cpu._ballast is not None
    assert cpu._ballast.nbytes == FLUSH_BYTES
    with pytest.raises(CaptureError, match="no graphs"):
        cpu.capture(lambda: None)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    """A CudaDevice finds this machine where torch.cuda would be."""
    fake = FakeCuda()
    monkeypatch.setattr(cuda_module, "torch", fake.namespace())
    monkeypatch.setattr(cuda_module, "time", fake.clock())
    monkeypatch.setattr(cuda_module, "gpu_of", lambda _: NO_GPU)
    return fake


@pytest.mark.parametrize("clock", ["host", "graph"])
def test_a_cuda_call_is_timed_to_the_end_of_its_work(cuda: FakeCuda, clock: str) -> None:
    gpu = CudaDevice(index=1)
    window = time_window(gpu, lambda: cuda.simulator.launch(5e-3), Timing(clock))
    assert window.seconds == pytest.approx(5e-3, rel=0.01)


def test_the_stream_that_works_is_the_one_that_is_timed(cuda: FakeCuda) -> None:
    gpu = CudaDevice()
    cuda.simulator.launch(0.1)
    gpu.synchronize()
    side = cuda.make_stream()
    with cuda.on_stream(side):
        window = time_window(gpu, lambda: cuda.simulator.launch(5e-3), Timing("graph"))
    assert window.seconds == pytest.approx(5e-3, rel=0.01)


def test_everything_happens_on_the_device_that_is_timed(cuda: FakeCuda) -> None:
    gpu = CudaDevice(index=1)
    seen: list[int] = []
    time_window(gpu, lambda: seen.append(cuda.current), Timing("queue_ahead"))
    assert (seen, cuda.current) == ([1], 0)
    assert gpu.event()._event.device == 1
    assert cuda.synchronized == [torch.device("cuda", 1)] * 2


def test_without_waiting_the_time_cannot_be_read(cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = CudaDevice()
    monkeypatch.setattr(gpu, "synchronize", lambda: None)
    with pytest.raises(RuntimeError, match="has not passed"):
        time_window(gpu, lambda: cuda.simulator.launch(5e-3), Timing("graph"))


def test_a_graph_is_one_launch_and_warm_before_it_is_captured(cuda: FakeCuda) -> None:
    gpu = CudaDevice()
    call = cuda.simulator.network(120, 2.5e-6, first_call_s=0.1)
    replay = gpu.capture(call)
    before = cuda.simulator.host_s
    gpu.run(replay)
    assert cuda.simulator.host_s - before == pytest.approx(cuda.simulator.launch_s)
    window = time_window(gpu, replay, Timing("graph"))
    assert window.seconds == pytest.approx(120 * 2.5e-6, rel=0.05)
    assert cuda.streams == 2  # the warm-up ran on a stream of its own


def test_a_graph_keeps_what_it_computes_with_alive(cuda: FakeCuda) -> None:
    class Weights:
        pass

    def capture(weights: Weights) -> Call:
        return CudaDevice().capture(lambda: cuda.simulator.launch(1e-3 + 0 * id(weights)))

    weights = Weights()
    alive = weakref.ref(weights)
    replay = capture(weights)
    del weights
    gc.collect()
    assert alive() is not None
    del replay
    gc.collect()
    assert alive() is None


def test_a_call_that_cannot_be_captured_says_why(cuda: FakeCuda) -> None:
    gpu = CudaDevice()
    cuda.graph_fails = "operation not permitted when stream is capturing\nCUDA kernel errors"
    with pytest.raises(CaptureError, match=r"^operation not permitted when stream is capturing"):
        gpu.capture(lambda: cuda.simulator.launch(1e-3))


def test_what_is_flushed_is_larger_than_the_cache(cuda: FakeCuda) -> None:
    gpu = CudaDevice()
    gpu.flush()
    assert 4 * cuda.ballast_elements == FLUSH_BYTES > 2 * 50 * 2**20


@pytest.mark.usefixtures("cuda")
def test_a_pause_is_as_long_as_asked() -> None:
    gpu = CudaDevice()
    first = gpu.event()
    gpu.hold(1e-3)
    last = gpu.event()
    gpu.synchronize()
    assert last.seconds_since(first) == pytest.approx(1e-3, rel=0.02)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_events_agree_with_the_hosts_clock_on_a_real_device() -> None:
    matrix = torch.randn(4096, 4096, device="cuda")
    window = time_window(CudaDevice(), lambda: matrix @ matrix, Timing("graph", calls=20))
    assert window.seconds == pytest.approx(window.host_seconds, rel=0.1)

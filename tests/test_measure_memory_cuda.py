"""Peaks on a device, with an allocator that is none."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.measure.memory import cuda as cuda_module
from msanet_bench.measure.memory.cuda import (
    CudaAllocator,
    MeasuredPeaks,
    Peak,
    cuda_allocator,
    measured_peaks,
    peak_of,
)

KEPT, WORKSPACE, NEEDED = 1000, 700, 50


class FakeAllocator:
    """A caching allocator: what is freed stays reserved, and peaks stay until they are reset.

    The device works behind the host, so what is asked before it has finished is refused.
    """

    def __init__(self) -> None:
        self.now = self.reserved = 0
        self.peak_now = self.peak_held = 0
        self.is_busy = False

    def take(self, size: int) -> None:
        self.is_busy = True
        self.now += size
        self.reserved = max(self.reserved, self.now)
        self.peak_now, self.peak_held = max(self.peak_now, self.now), max(self.peak_held, self.reserved)

    def free(self, size: int) -> None:
        self.now -= size

    def synchronize(self) -> None:
        self.is_busy = False

    def empty_cache(self) -> None:
        assert not self.is_busy
        self.reserved = self.now

    def reset_peak(self) -> None:
        self.peak_now, self.peak_held = self.now, self.reserved

    def allocated(self) -> int:
        return self.now

    def peak_allocated(self) -> int:
        assert not self.is_busy
        return self.peak_now

    def peak_reserved(self) -> int:
        assert not self.is_busy
        return self.peak_held


def work_on(allocator: FakeAllocator) -> Callable[[], None]:
    """The first run takes a workspace and gives it back; every run needs a little."""
    runs = []

    def work() -> None:
        size = NEEDED if runs else NEEDED + WORKSPACE
        runs.append(size)
        allocator.take(size)
        allocator.free(size)

    return work


def test_a_peak_is_that_of_the_work_alone() -> None:
    allocator = FakeAllocator()
    allocator.take(KEPT)
    assert peak_of(allocator, work_on(allocator)) == Peak(KEPT, KEPT + NEEDED, KEPT + NEEDED)


@pytest.mark.parametrize(
    ("forgotten", "found"),
    [
        ("reset_peak", Peak(KEPT, KEPT + NEEDED + WORKSPACE, KEPT + NEEDED + WORKSPACE)),
        ("empty_cache", Peak(KEPT, KEPT + NEEDED, KEPT + NEEDED + WORKSPACE)),
    ],
)
def test_what_is_forgotten_is_measured(forgotten: str, found: Peak, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins: without the reset, or with a full cache, the first run's workspace counts."""
    allocator = FakeAllocator()
    allocator.take(KEPT)
    monkeypatch.setattr(allocator, forgotten, lambda: None)
    assert peak_of(allocator, work_on(allocator)) == found


def test_without_waiting_a_peak_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    allocator = FakeAllocator()
    monkeypatch.setattr(allocator, "synchronize", lambda: None)
    with pytest.raises(AssertionError):
        peak_of(allocator, work_on(allocator))


class Takes(nn.Module):
    """Takes 30 in a forward pass, 200 in training, until its output's graph is gone."""

    def __init__(self, allocator: FakeAllocator) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)
        self.allocator = allocator

    def forward(self, x: Tensor) -> Tensor:
        size = 200 if self.training else 30
        self.allocator.take(size)
        self.allocator.free(size)
        return self.linear(x)


def test_inference_and_a_step_of_training_are_measured_apart() -> None:
    allocator = FakeAllocator()
    allocator.take(KEPT)
    model = Takes(allocator)
    before = model.linear.weight.detach().clone()
    peaks = measured_peaks(allocator, model, torch.randn(3, 4), torch.randn(5, 4))
    assert peaks == MeasuredPeaks(Peak(KEPT, KEPT + 30, KEPT + 30), Peak(KEPT, KEPT + 200, KEPT + 200))
    assert peaks.status == "measured"
    assert not torch.equal(model.linear.weight, before)
    assert model.linear.weight.grad is None


def test_without_a_device_there_is_a_reason_and_no_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    model = nn.Linear(4, 2)
    peaks = measured_peaks(cuda_allocator(), model, torch.randn(3, 4), torch.randn(5, 4))
    assert peaks == MeasuredPeaks(None, None, "not measured (no CUDA device)")


def test_a_device_that_is_not_there_has_no_allocator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert isinstance(cuda_allocator(0), CudaAllocator)
    assert cuda_allocator(1) is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a device")
def test_torch_itself_says_zero_without_a_device() -> None:
    """Twin: what a table would hold if nobody asked for a device first."""
    assert torch.cuda.max_memory_allocated() == 0


def test_every_question_is_about_the_device_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def counter(name: str, value: int) -> Callable[[torch.device], int]:
        def ask(device: torch.device) -> int:
            asked.append((name, str(device)))
            return value

        return ask

    names = ("synchronize", "reset_peak_memory_stats", "memory_allocated")
    peaks = ("max_memory_allocated", "max_memory_reserved")
    answers = {name: counter(name, value) for value, name in enumerate((*names, *peaks), start=1)}
    fake = SimpleNamespace(**answers, empty_cache=lambda: asked.append(("empty_cache", "all")))
    monkeypatch.setattr(cuda_module, "torch", SimpleNamespace(cuda=fake, device=torch.device))
    assert peak_of(CudaAllocator(1), lambda: None) == Peak(base=3, allocated=4, reserved=5)
    assert asked == [
        ("synchronize", "cuda:1"),
        ("empty_cache", "all"),
        ("reset_peak_memory_stats", "cuda:1"),
        ("memory_allocated", "cuda:1"),
        ("synchronize", "cuda:1"),
        ("max_memory_allocated", "cuda:1"),
        ("max_memory_reserved", "cuda:1"),
    ]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_real_peak_holds_weights_and_images() -> None:
    model, images = nn.Linear(1024, 1024).cuda(), torch.randn(256, 1024, device="cuda")
    peaks = measured_peaks(cuda_allocator(), model, images, images)
    held = sum(x.numel() * 4 for x in [*model.parameters(), images])
    assert peaks.inference is not None
    assert peaks.training is not None
    assert held <= peaks.inference.base < peaks.inference.allocated < peaks.training.allocated
    assert peaks.training.allocated <= peaks.training.reserved

"""Peak memory on a CUDA device, alone on it: all that the measurement may know of an allocator."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from msanet_bench.measure.memory.workload import classify, make_optimiser, train_step
from msanet_bench.measure.samples import NO_CUDA

MEASURED = "measured"


class Allocator(Protocol):
    """A caching allocator that remembers the most it has given out; all sizes in bytes."""

    def synchronize(self) -> None:
        """Wait until the device has done all its work."""
        ...

    def empty_cache(self) -> None:
        """Give back what is reserved and not in use."""
        ...

    def reset_peak(self) -> None:
        """Let both peaks start again from what there is now."""
        ...

    def allocated(self) -> int: ...

    def peak_allocated(self) -> int: ...

    def peak_reserved(self) -> int: ...


class CudaAllocator:
    """The allocator of one CUDA device."""

    def __init__(self, index: int = 0) -> None:
        self._device = torch.device("cuda", index)

    def synchronize(self) -> None:
        torch.cuda.synchronize(self._device)

    def empty_cache(self) -> None:
        torch.cuda.empty_cache()

    def reset_peak(self) -> None:
        torch.cuda.reset_peak_memory_stats(self._device)

    def allocated(self) -> int:
        return torch.cuda.memory_allocated(self._device)

    def peak_allocated(self) -> int:
        return torch.cuda.max_memory_allocated(self._device)

    def peak_reserved(self) -> int:
        return torch.cuda.max_memory_reserved(self._device)


@dataclass(frozen=True, slots=True)
class Peak:
    """Bytes before some work and at most during it.

    Attributes:
        base: Allocated before: parameters, buffers, images, and a step of training has the optimiser's state.
        allocated: Most that tensors took at once, `base` included.
        reserved: Most that the allocator held from the driver, from an empty cache on.
    """

    base: int
    allocated: int
    reserved: int


@dataclass(frozen=True, slots=True)
class MeasuredPeaks:
    """Peaks on a device; without the CUDA context, which takes some hundred MiB whatever the network.

    Attributes:
        status: `measured`, or why the others are None.
    """

    inference: Peak | None
    training: Peak | None
    status: str = MEASURED


def cuda_allocator(index: int = 0) -> CudaAllocator | None:
    """The device's allocator; None without such a device, where torch's counters say 0 and raise nothing."""
    present = torch.cuda.is_available() and index < torch.cuda.device_count()
    return CudaAllocator(index) if present else None


def measured_peaks(
    allocator: Allocator | None, model: nn.Module, images: Tensor, train_images: Tensor
) -> MeasuredPeaks:
    """Measure one forward pass, then one step of training with AdamW, each on images of its own.

    The model is on the device and is trained. Nothing else may be there: the peaks belong to the process and
    all its threads. Each kind of work runs once before it is measured: the first run allocates workspaces,
    and the optimiser its state.
    """
    if allocator is None:
        return MeasuredPeaks(None, None, NO_CUDA)
    labels = torch.zeros(len(train_images), dtype=torch.int64, device=train_images.device)
    inference = peak_of(allocator, partial(classify, model, images))
    optimiser = make_optimiser(model)
    training = peak_of(allocator, partial(train_step, model, optimiser, train_images, labels))
    return MeasuredPeaks(inference, training)


def peak_of(allocator: Allocator, work: Callable[[], object]) -> Peak:
    """Do the work twice, and measure the second time."""
    work()
    # modules and graphs refer to themselves: what the first run left is freed only by the collector
    gc.collect()
    allocator.synchronize()
    allocator.empty_cache()
    allocator.reset_peak()
    base = allocator.allocated()
    work()
    allocator.synchronize()
    return Peak(base, allocator.peak_allocated(), allocator.peak_reserved())

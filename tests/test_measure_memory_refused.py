import numpy as np
import pytest
import torch

from msanet_bench.measure.memory.refused import is_out_of_memory

HUGE = 10**15  # bytes; no machine has as many


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: torch.empty(HUGE, dtype=torch.uint8),
        lambda: torch.ones(10).expand(HUGE // 10, 10).contiguous(),
        lambda: np.empty(HUGE, dtype=np.uint8),
        lambda: bytearray(HUGE),
    ],
)
def test_what_really_cannot_be_allocated_is_an_out_of_memory(allocate: object) -> None:
    assert callable(allocate)
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        allocate()
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        RuntimeError("Storage size calculation overflowed with sizes=[4611686018427387904]"),
        RuntimeError("[enforce fail at inline_container.cc:660] . PytorchStreamWriter failed writing file"),
        RuntimeError("a note on `DefaultCPUAllocator: can't allocate memory` in a block's own error"),
        ValueError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_no_other_error_is_taken_for_one(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_a_full_device_is_out_of_memory() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))

"""In which number format networks are timed: stated, set for convolutions and products together, restored."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from msanet_bench.spec import LatencyPrecision
from msanet_bench.train.seed import flags_restored, set_determinism

_AUTOCAST = {"amp_bf16": torch.bfloat16, "amp_fp16": torch.float16}


def why_not(precision: LatencyPrecision, device: str) -> str | None:
    """Why a device does not compute so; None where it does."""
    if precision == "tf32" and device != "cuda":
        return "not measured (tf32 is a format of CUDA devices)"
    return None


@contextmanager
def precision_set(precision: LatencyPrecision, device: torch.device) -> Iterator[None]:
    """The flags of a precision, with the fastest kernels rather than reproducible ones.

    As torch comes, convolutions on CUDA compute in TF32 and products do not: in one network, two precisions.
    """
    with flags_restored():
        set_determinism(device, deterministic=False)
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        yield


def autocast(precision: LatencyPrecision, device: torch.device) -> AbstractContextManager[object]:
    """The context in which a network runs forward.

    Weights are cast in each call, as when a caller enters autocast for it; a cache would not survive the
    capture of a graph.
    """
    if precision not in _AUTOCAST:
        return nullcontext()
    return torch.autocast(device.type, _AUTOCAST[precision], cache_enabled=False)

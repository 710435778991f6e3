"""The only place that touches the global randomness and determinism of a run."""

import os

import torch

from msanet_bench.streams import Stream, stream_seed


def set_determinism(device: torch.device, *, deterministic: bool) -> tuple[str, ...]:
    """Set the process for a run on `device`; returns what a record must say about it.

    TF32 is off whatever is asked: `fp32` means 24 bits of mantissa, not 11.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = not deterministic
    on_cuda = device.type == "cuda"
    torch.use_deterministic_algorithms(deterministic, warn_only=on_cuda)
    if not deterministic:
        return ("not deterministic: the last bits may differ between two runs",)
    if not on_cuda:
        return ()
    # cuBLAS reads this when its first handle is made, so it must come before any product on the device.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return ("not deterministic where CUDA has no such kernel, as for adaptive pooling's backward pass",)


def generator(seed: int, stream: Stream, *, replicate: int) -> torch.Generator:
    """The numbers of one stream of one run, drawn on the CPU: the same for every device."""
    return torch.Generator().manual_seed(stream_seed(seed, stream, replicate=replicate))


def seed_global_dropout(seed: int, *, replicate: int) -> None:
    """Start torch's global generators, which dropout draws from, at the run's dropout stream."""
    torch.manual_seed(stream_seed(seed, "dropout", replicate=replicate))

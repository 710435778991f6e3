"""The only place that touches the global randomness and determinism of a run."""

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from msanet_bench.streams import Stream, stream_seed

_NO_KERNEL = " does not have a deterministic implementation"


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
    if on_cuda:
        # cuBLAS reads this when its first handle is made: before any product on the device
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return ()


@contextmanager
def nondeterministic_kernels() -> Iterator[list[str]]:
    """The operations that ran without a deterministic kernel although one was asked for.

    Where CUDA has none, torch warns and goes on; the list is complete when the context ends.
    """
    kernels: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield kernels
    for warning in caught:
        operation, found, _ = str(warning.message).partition(_NO_KERNEL)
        if found:
            kernels.append(f"not deterministic: {operation}")
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    kernels[:] = dict.fromkeys(kernels)


@contextmanager
def flags_restored() -> Iterator[None]:
    """Whatever happens to torch's flags of determinism and precision inside, outside they stay."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    flags = cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = flags
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


def generator(seed: int, stream: Stream, *, replicate: int) -> torch.Generator:
    """The numbers of one stream of one run, drawn on the CPU: the same for every device."""
    return torch.Generator().manual_seed(stream_seed(seed, stream, replicate=replicate))


def seed_global_start(seed: int, *, replicate: int) -> None:
    """Start torch's global generators at the run's init stream, for what constructors draw from them."""
    torch.manual_seed(stream_seed(seed, "init", replicate=replicate))


def seed_global_dropout(seed: int, *, replicate: int) -> None:
    """Start torch's global generators, which dropout draws from, at the run's dropout stream."""
    torch.manual_seed(stream_seed(seed, "dropout", replicate=replicate))


def dropout_positions(device: torch.device) -> dict[str, torch.Tensor]:
    """How far torch's global generators are, the CPU's and that of the device, as bytes."""
    positions = {"cpu": torch.get_rng_state()}
    return positions | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def restore_dropout(positions: Mapping[str, torch.Tensor], device: torch.device) -> None:
    """Put torch's global generators back to where they were; that of a device of another kind stays."""
    torch.set_rng_state(positions["cpu"])
    if device.type == "cuda" and "cuda" in positions:
        torch.cuda.set_rng_state(positions["cuda"], device)

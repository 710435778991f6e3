"""Torch's switches that change how fast or how exactly it computes, as they stand."""

from operator import attrgetter
from typing import Any

import torch

MIXED = "unreadable: set through both of torch's interfaces"

# By their names under `torch`, which are also the names in the session's file.
ATTRIBUTES = (
    "backends.fp32_precision",
    "backends.cuda.matmul.fp32_precision",
    "backends.cudnn.fp32_precision",
    "backends.cudnn.conv.fp32_precision",
    "backends.cudnn.rnn.fp32_precision",
    "backends.mkldnn.fp32_precision",
    "backends.mkldnn.conv.fp32_precision",
    "backends.mkldnn.matmul.fp32_precision",
    "backends.cuda.matmul.allow_tf32",
    "backends.cudnn.allow_tf32",
    "backends.cuda.matmul.allow_fp16_reduced_precision_reduction",
    "backends.cuda.matmul.allow_bf16_reduced_precision_reduction",
    "backends.cuda.matmul.allow_fp16_accumulation",
    "backends.cudnn.enabled",
    "backends.cudnn.benchmark",
    "backends.cudnn.benchmark_limit",
    "backends.cudnn.deterministic",
    "backends.mkldnn.enabled",
    "backends.mkldnn.deterministic",
    "backends.opt_einsum.enabled",
    "utils.deterministic.fill_uninitialized_memory",
)
QUESTIONS = (
    "get_float32_matmul_precision",
    "get_default_dtype",
    "are_deterministic_algorithms_enabled",
    "is_deterministic_algorithms_warn_only_enabled",
    "get_num_threads",
    "get_num_interop_threads",
    "backends.cuda.flash_sdp_enabled",
    "backends.cuda.mem_efficient_sdp_enabled",
    "backends.cuda.math_sdp_enabled",
    "backends.cuda.cudnn_sdp_enabled",
    "backends.cuda.fp16_bf16_reduction_math_sdp_allowed",
    "backends.cuda.preferred_blas_library",
    "backends.cuda.preferred_linalg_library",
    "backends.mha.get_fastpath_enabled",
    "backends.cpu.get_cpu_capability",
    "cuda.get_allocator_backend",
)


def torch_flags() -> dict[str, Any]:
    """Every switch by its name under `torch`, in a fixed order; None where this torch has no such name."""
    attributes = {name: _read(name) for name in ATTRIBUTES}
    return attributes | {name: _read(name, is_question=True) for name in QUESTIONS}


def _read(name: str, *, is_question: bool = False) -> Any:  # noqa: ANN401  # a switch may be of any plain type
    try:
        value = attrgetter(name)(torch)
        return _plain(value() if is_question else value)
    except AttributeError:
        return None
    except RuntimeError:  # TF32 by `allow_tf32` and by `fp32_precision`: torch answers to neither question
        return MIXED


def _plain(value: object) -> Any:  # noqa: ANN401  # a switch may be of any plain type
    if value is None or isinstance(value, bool | int | float | str):
        return value
    # torch's own enumerations have a name, its number formats only a text
    return str(getattr(value, "name", value))

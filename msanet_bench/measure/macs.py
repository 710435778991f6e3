"""Multiply-accumulates of a network: the home of fvcore.

Two counters look at the same network and must agree to the last unit: fvcore, which reads a traced graph and
tells what it cannot count, and torch's FlopCounterMode, which watches the kernels and tells nothing.
"""

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from msanet_bench.measure.params import part_of, sum_by_part

with warnings.catch_warnings():
    # fvcore compiles its losses with torch.jit.script on import, which torch calls deprecated.
    warnings.simplefilter("ignore", FutureWarning)
    from fvcore.nn import FlopCountAnalysis
    from fvcore.nn.jit_handles import get_shape

Handle = Callable[[Sequence[Any], Sequence[Any]], int]


@dataclass(frozen=True, slots=True)
class Macs:
    """Multiply-accumulates of one forward pass in eval mode.

    A fused multiply-add counts once (many papers count two). Convolutions, linear layers, matrix products and
    the core of attention count; biases, norms, activations, pooling and resizing do not.

    Attributes:
        by_part: Adds up to `total`.
        status: `exact`, or `incomplete: <reason>`, and then the numbers are not to be reported.
        flops_fvcore_stock: What fvcore says as it comes, to compare with papers that print it: with norms and
            pooling, without fused attention, without `padding="same"`. None where it fails.
    """

    total: int
    by_part: dict[str, int]
    status: str
    flops_fvcore_stock: int | None


def count_macs(model: nn.Module, input_shape: tuple[int, ...], *, batch: int = 1) -> Macs:
    """Count one forward pass on images of `input_shape` (C, H, W); the model itself is not touched."""
    subject = copy.deepcopy(model).cpu().eval()
    dtype = next((p.dtype for p in subject.parameters() if p.is_floating_point()), torch.float32)
    # Counting looks at shapes alone; zeros leave the random generators as they are.
    images = torch.zeros(batch, *input_shape, dtype=dtype)
    with torch.no_grad(), _visible_products():
        analysis = _quiet(subject, images).clear_op_handles().set_op_handle(**_HANDLES)
        total: int = analysis.total()
        status = _status(analysis.unsupported_ops(), total, _macs_by_kernels(subject, images))
        stock = _stock_flops(subject, images)
    return Macs(total, sum_by_part(_own_macs(analysis.by_module()), part_of), status, stock)


def _products(left: int) -> Handle:
    """Every element of the output takes one MAC for each element along the last axis of the left operand."""

    def count(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return prod(_shape(outputs[0])) * _shape(inputs[left])[-1]

    return count


def _convolution(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """Every element of the output (of the input, if transposed) takes one MAC for each weight of its filter.

    The weight is (out, in / groups, ...), or (in, out / groups, ...) if transposed.
    """
    transposed = inputs[6].toIValue()
    return prod(_shape(inputs[0] if transposed else outputs[0])) * prod(_shape(inputs[1])[1:])


def _convolution_by_mode(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """A convolution with `padding="same"` or `"valid"`; it cannot be transposed."""
    return prod(_shape(outputs[0])) * prod(_shape(inputs[1])[1:])


def _attention(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """Query (..., L, D) with key (..., S, D), and the weights (..., L, S) with value (..., S, V).

    A causal mask does not make it less: half of the products are computed for nothing.
    """
    query, key = _shape(inputs[0]), _shape(inputs[1])
    *leading, values = _shape(outputs[0])
    return prod(leading) * key[-2] * (query[-1] + values)


def _shape(value: Any) -> list[int]:  # noqa: ANN401  # a torch._C.Value, which has no annotations
    shape: list[int] = get_shape(value)
    return shape


# Set from nothing: fvcore looks for a handle before it looks whether to ignore an operation, so a norm
# that it counts by itself stays counted after `set_op_handle("aten::batch_norm", None)`.
_HANDLES: Mapping[str, Handle] = {
    "aten::_convolution": _convolution,
    "aten::_convolution_mode": _convolution_by_mode,
    "aten::linear": _products(left=0),
    "aten::mm": _products(left=0),
    "aten::bmm": _products(left=0),
    # fvcore's own handle multiplies the first operand's size, which is too small when that is broadcast.
    "aten::matmul": _products(left=0),
    "aten::addmm": _products(left=1),
    "aten::baddbmm": _products(left=1),
    "aten::scaled_dot_product_attention": _attention,
}

# Operations that take no multiply-accumulates by convention, without `aten::` and the trailing underscore of
# those that work in place. Everything else that fvcore meets and cannot count makes the count incomplete;
# einsum is one of them on purpose: its cost depends on the order in which torch multiplies.
_ZERO_BY_CONVENTION = """
    batch_norm group_norm instance_norm layer_norm rms_norm norm linalg_vector_norm
    relu relu6 leaky_relu prelu elu celu selu gelu glu silu mish hardswish hardsigmoid hardtanh
    sigmoid log_sigmoid tanh softplus softmax log_softmax threshold
    add sub rsub mul div neg abs pow square sqrt rsqrt reciprocal exp log erf sin cos sign
    clamp_min clamp_max minimum maximum lerp addcmul addcdiv where ne lt le logical_not
    sum mean var std var_mean amax amin min argmax cumsum topk
    avg_pool1d avg_pool2d max_pool1d max_pool2d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d
    upsample_nearest2d upsample_nearest1d upsample_bilinear2d upsample_bicubic2d grid_sampler
    pixel_shuffle pixel_unshuffle channel_shuffle im2col col2im
    pad reflection_pad2d replication_pad2d fill unflatten repeat repeat_interleave tile clone flip
    index_select embedding movedim expand_as view_as reshape_as tril triu eye linspace ones_like dropout
    feature_dropout alpha_dropout
"""


def _status(unsupported: Counter[str], total: int, by_kernels: int) -> str:
    expected = {f"aten::{name}{ending}" for name in _ZERO_BY_CONVENTION.split() for ending in ("", "_")}
    unexpected = sorted(unsupported.keys() - expected)
    if unexpected:
        return f"incomplete: no rule for {', '.join(unexpected)}"
    if total != by_kernels:
        return f"incomplete: fvcore counts {total}, FlopCounterMode {by_kernels}"
    return "exact"


def _macs_by_kernels(subject: nn.Module, images: Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        subject(images)
    flops: int = counter.get_total_flops()
    return flops // 2


def _stock_flops(subject: nn.Module, images: Tensor) -> int | None:
    try:
        return int(_quiet(subject, images).total())
    except (AssertionError, IndexError):
        return None  # as for a matrix times a vector


def _own_macs(by_module: Mapping[str, int]) -> dict[str, int]:
    """What each module computes itself, from sums that contain its descendants."""
    own = dict(by_module)
    for name, amount in by_module.items():
        if name:
            own[name.rpartition(".")[0]] -= amount
    return own


def _quiet(subject: nn.Module, images: Tensor) -> FlopCountAnalysis:
    analysis = FlopCountAnalysis(subject, images).tracer_warnings("none")
    return analysis.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)


@contextmanager
def _visible_products() -> Iterator[None]:
    """Attention as products that a counter can see: no fused kernel, no fast path of MultiheadAttention."""
    was_enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was_enabled)

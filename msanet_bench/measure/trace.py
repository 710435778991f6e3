"""What a traced graph costs: the home of fvcore.

One pass over the graph gives our count, activations, and what fvcore says of both as it comes.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from torch import Tensor, nn

from msanet_bench.measure.conventions import is_free

with warnings.catch_warnings():
    # fvcore compiles its losses with torch.jit.script on import, which torch calls deprecated.
    warnings.simplefilter("ignore", FutureWarning)
    from fvcore.nn import FlopCountAnalysis
    from fvcore.nn.activation_count import _DEFAULT_SUPPORTED_OPS as _STOCK_ACTIVATIONS
    from fvcore.nn.flop_count import _DEFAULT_SUPPORTED_OPS as _STOCK_FLOPS
    from fvcore.nn.jit_handles import get_shape

Rule = Callable[[Sequence[Any], Sequence[Any]], int]
# what fvcore asks for: amounts by the name of what is counted
Handle = Callable[[Sequence[Any], Sequence[Any]], Counter[str]]


class Trace(NamedTuple):
    """A network's graph, added up.

    Attributes:
        macs: By module, each with its descendants; the network itself is "".
        activations: Elements of the outputs of convolutions, linear layers and matrix products (as in
            Radosavovic et al. 2020, arXiv:2003.13678, section 4), fused attention as if it were written out.
        stock_flops: What fvcore says of MACs as it comes: with norms and pooling, without fused attention,
            without `padding="same"`. None where it fails.
        stock_activations: What fvcore says of activations as it comes.
        unexpected: Operations that have no rule and are not free by convention.
        uncalled: Modules with parameters of their own that the network never calls.
    """

    macs: Mapping[str, int]
    activations: int
    stock_flops: int | None
    stock_activations: int
    unexpected: tuple[str, ...]
    uncalled: tuple[str, ...]


def trace(network: nn.Module, images: Tensor) -> Trace:
    """Add up the graph of one forward pass."""
    analysis = FlopCountAnalysis(network, images).tracer_warnings("none")
    analysis.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
    analysis.clear_op_handles()
    analysis.set_op_handle(**{kind: _handle(kind) for kind in {*_RULES, *_STOCK_FLOPS, *_STOCK_ACTIVATIONS}})
    by_module = analysis.by_module_and_operator()
    whole, idle = by_module[""], analysis.uncalled_modules()
    without_rule = {kind for kind in {*whole, *analysis.unsupported_ops()} if "::" in kind}
    return Trace(
        macs={name: amounts["macs"] for name, amounts in by_module.items()},
        activations=whole["activations"],
        stock_flops=None if whole["stock failures"] else int(whole["stock flops"]),
        stock_activations=whole["stock activations"],
        unexpected=tuple(sorted(kind for kind in without_rule if not is_free(kind))),
        uncalled=tuple(
            name for name, module in network.named_modules() if name in idle and _computes(module)
        ),
    )


def _handle(kind: str) -> Handle:
    """Everything that is counted of one kind of operation; one that has no rule of ours counts itself."""

    def count(inputs: Sequence[Any], outputs: Sequence[Any]) -> Counter[str]:
        amounts = Counter[str]()
        if kind in _RULES:
            amounts["macs"] = _RULES[kind](inputs, outputs)
            amounts["activations"] = _ACTIVATIONS.get(kind, _elements)(inputs, outputs)
        else:
            amounts[kind] = 1
        if kind in _STOCK_ACTIVATIONS:
            amounts["stock activations"] = _number(_STOCK_ACTIVATIONS[kind](inputs, outputs))
        if kind in _STOCK_FLOPS:
            try:
                amounts["stock flops"] = _number(_STOCK_FLOPS[kind](inputs, outputs))
            except (AssertionError, IndexError):
                amounts["stock failures"] = 1  # as for a matrix times a vector
        return amounts

    return count


def _number(amount: int | Counter[str]) -> int:
    return sum(amount.values()) if isinstance(amount, Counter) else amount


def _products(left: int) -> Rule:
    """Every element of the output takes one MAC for each element along the last axis of the left operand."""

    def count(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return _elements(inputs, outputs) * _shape(inputs[left])[-1]

    return count


def _convolution(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """Every element of the output (of the input, if transposed) takes one MAC for each weight of its filter.

    The weight is (out, in / groups, ...), or (in, out / groups, ...) if transposed.
    """
    transposed = inputs[6].toIValue()
    return prod(_shape(inputs[0] if transposed else outputs[0])) * prod(_shape(inputs[1])[1:])


def _convolution_by_mode(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """A convolution with `padding="same"` or `"valid"`, or one with moved taps; it cannot be transposed."""
    return _elements(inputs, outputs) * prod(_shape(inputs[1])[1:])


def _attention(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """Query (..., L, D) with key (..., S, D), and the weights (..., L, S) with value (..., S, V).

    A causal mask does not make it less: half of the products are computed for nothing.
    """
    query, key = _shape(inputs[0]), _shape(inputs[1])
    *leading, values = _shape(outputs[0])
    return prod(leading) * key[-2] * (query[-1] + values)


def _attention_activations(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """The weights (..., L, S) and the output (..., L, V), as two matrix products would give them."""
    *leading, values = _shape(outputs[0])
    return prod(leading) * (_shape(inputs[1])[-2] + values)


def _elements(_: Sequence[Any], outputs: Sequence[Any]) -> int:
    return prod(_shape(outputs[0]))


def _shape(value: Any) -> list[int]:  # noqa: ANN401  # a torch._C.Value, which has no annotations
    shape: list[int] = get_shape(value)
    return shape


# Set from nothing: fvcore looks for a handle before it looks whether to ignore an operation, so a norm
# that it counts by itself stays counted after `set_op_handle("aten::batch_norm", None)`.
_RULES: Mapping[str, Rule] = {
    "aten::_convolution": _convolution,
    "aten::_convolution_mode": _convolution_by_mode,
    "torchvision::deform_conv2d": _convolution_by_mode,
    "aten::linear": _products(left=0),
    "aten::mm": _products(left=0),
    "aten::bmm": _products(left=0),
    # fvcore's own handle multiplies the first operand's size, which is too small when that is broadcast.
    "aten::matmul": _products(left=0),
    "aten::addmm": _products(left=1),
    "aten::baddbmm": _products(left=1),
    "aten::scaled_dot_product_attention": _attention,
}

_ACTIVATIONS: Mapping[str, Rule] = {"aten::scaled_dot_product_attention": _attention_activations}


def _computes(module: nn.Module) -> bool:
    """Whether a module has parameters and something to call: a ParameterList has only the former."""
    has_forward = type(module).forward is not nn.Module.forward
    return has_forward and any(True for _ in module.parameters(recurse=False))

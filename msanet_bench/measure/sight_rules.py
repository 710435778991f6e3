"""The rules of `sight`: what the result of each of torch's operations sees."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from msanet_bench.measure import sight_layout as layout
from msanet_bench.measure.sight import (
    EVERYTHING,
    Call,
    Dim,
    Factor,
    Rule,
    Sight,
    UnknownSightError,
    along,
    axes,
    joined,
)


def _pointwise(call: Call) -> Sight:
    """Each position alone; narrower operands are repeated, aligned at the last dimension."""
    rank = len(call.shape)
    laid_out = [((),) * (rank - len(sight.dims)) + sight.dims for sight in call.local()]
    found: list[Dim] = []
    for place, size in enumerate(call.shape):
        positions = {dims[place] for dims in laid_out if axes(dims[place])}
        if len(positions) > 1:
            raise UnknownSightError("joins tensors whose positions lie along different dimensions")
        found.append(positions.pop() if positions else (Factor(size),))
    return joined(call.sights(), tuple(found))


def _windows(call: Call, window: Mapping[str, Sequence[int]]) -> Sight:
    """A window that slides along the dimensions from the third on."""
    sight = call.only("self" if "self" in call.given else "input")
    spans = dict(sight.spans or {})
    dims = [*sight.dims[:2], *(((Factor(size),)) for size in call.shape[2:])]
    for place, dim in enumerate(sight.dims[2:]):
        kernel, stride, padding, dilation = (
            window[name][place] for name in ("kernel", "stride", "padding", "dilation")
        )
        if len(axes(dim)) > 1 and (kernel, stride, padding) != (1, 1, 0):
            raise UnknownSightError("slides along a map that is laid out as one dimension")
        if len(axes(dim)) == 1:
            (axis,) = axes(dim)
            spans[axis] = spans[axis].through(kernel, stride, padding, dilation)
            dims[2 + place] = (Factor(call.shape[2 + place], axis),)
        elif axes(dim):
            dims[2 + place] = dim
    return Sight(tuple(dims), spans, whole=sight.whole)


def _convolution(call: Call) -> Sight:
    if call.given["transposed"]:
        raise UnknownSightError("is transposed")
    sight = call.only("input")
    if axes(sight.dims[1]):
        raise UnknownSightError("mixes positions as if they were channels")
    window = {name: call.given[name] for name in ("stride", "padding", "dilation")}
    found = _windows(call, {"kernel": call.given["weight"].shape[2:], **window})
    return replace(found, dims=(found.dims[0], (Factor(call.shape[1]),), *found.dims[2:]))


def _pool(call: Call) -> Sight:
    given, sides = call.given, len(call.shape) - 2

    def for_each_side(value: Sequence[int]) -> Sequence[int]:
        return [*value] * sides if len(value) == 1 else value

    kernel = for_each_side(given["kernel_size"])
    window = {
        "kernel": kernel,
        "stride": for_each_side(given["stride"] or kernel),
        "padding": for_each_side(given["padding"]),
        "dilation": for_each_side(given.get("dilation", [1])),
    }
    return _windows(call, window)


def _pad(call: Call) -> Sight:
    """Padding moves positions on: position i shows what was at i - before."""
    sight = call.only("self")
    spans, dims = dict(sight.spans or {}), list(sight.dims)
    for place, before in enumerate(call.given["pad"][::2]):
        dim = len(dims) - 1 - place
        if dims[dim] and len(axes(dims[dim])) == 1:
            (axis,) = axes(dims[dim])
            spans[axis] = spans[axis].through(1, 1, before, 1)
            dims[dim] = (Factor(call.shape[dim], axis),)
        elif not axes(dims[dim]):
            dims[dim] = (Factor(call.shape[dim]),)
    return Sight(tuple(dims), spans, whole=sight.whole)


def _reduction(call: Call) -> Sight:
    sight = call.only("self")
    wanted = call.given.get("dim")
    wanted = [wanted] if isinstance(wanted, int) else wanted or range(len(sight.dims))
    reduced = {dim % len(sight.dims) for dim in wanted}
    keeps = len(call.shape) == len(sight.dims)
    dims = [() if place in reduced else dim for place, dim in enumerate(sight.dims)]
    left = tuple(dim for place, dim in enumerate(dims) if keeps or place not in reduced)
    return along(sight, sorted(reduced), replace(sight, dims=left), then_whole=EVERYTHING)


def _softmax(call: Call) -> Sight:
    sight = call.only("self")
    return along(sight, [call.given["dim"]], sight, then_whole=sight)


def _batch_norm(call: Call) -> Sight:
    """With running statistics each position alone; with the batch's own every position counts."""
    sight = call.only("input")
    return replace(sight, whole=sight.whole or call.given.get("training", False))


def _group_norm(call: Call) -> Sight:
    return replace(call.only("input"), whole=True)


def _layer_norm(call: Call) -> Sight:
    sight = call.only("input")
    rank = len(sight.dims)
    return along(sight, range(rank - len(call.given["normalized_shape"]), rank), sight, then_whole=sight)


def _product(first: str, second: str, call: Call) -> Sight:
    """Matrices; a product of positions with positions is what attention weighs all positions by."""
    left, right = call.sight_of(call.given[first]), call.sight_of(call.given[second])
    seeing = call.local()
    factors = [sight for sight in (left, right) if sight in seeing]
    if any(sight not in factors for sight in seeing):
        raise UnknownSightError("adds positions to a product")
    if any(axes(dim) for sight in factors for dim in sight.dims[:-2]):
        raise UnknownSightError("multiplies at each position apart")
    if len(factors) > 1:
        return EVERYTHING
    (sight,) = factors
    sides = [(Factor(size),) for size in call.shape]
    dims = (*sides[:-1], sight.dims[-1]) if sight is right else (*sides[:-2], sight.dims[-2], sides[-1])
    summed = -2 if sight is right else -1
    return along(sight, [summed], joined(call.sights(), dims), then_whole=EVERYTHING)


def _row_of_tensors(call: Call) -> Sight:
    """Tensors side by side along a dimension that is no position."""
    seeing = call.local()
    place = call.given["dim"] % len(call.shape)
    if any(axes(sight.dims[place]) for sight in seeing):
        raise UnknownSightError("puts maps side by side")
    dims = tuple(
        (Factor(size),) if number == place else dim
        for number, (dim, size) in enumerate(zip(seeing[0].dims, call.shape, strict=True))
    )
    if any(list(map(axes, sight.dims)) != list(map(axes, dims)) for sight in seeing):
        raise UnknownSightError("joins tensors whose positions lie along different dimensions")
    return joined(call.sights(), dims)


def _stack(call: Call) -> Sight:
    place = call.given["dim"] % len(call.shape)
    flat = call._replace(shape=(*call.shape[:place], *call.shape[place + 1 :]))
    found = _pointwise(flat)
    dims = (*found.dims[:place], (Factor(call.shape[place]),), *found.dims[place:])
    return replace(found, dims=dims)


def _untold(reason: str, _: Call) -> Sight:
    raise UnknownSightError(reason)


_POINTWISE = """
    relu relu6 sigmoid tanh gelu silu mish elu celu selu leaky_relu softplus threshold hardswish hardsigmoid
    hardtanh _prelu_kernel log_sigmoid erf exp log sqrt rsqrt abs neg sign square reciprocal sin cos pow
    add sub rsub mul div maximum minimum clamp clamp_min clamp_max where addcmul addcdiv lerp masked_fill
    clone detach alias copy _to_copy expand
"""

RULES: Mapping[str, Rule] = {
    **dict.fromkeys(_POINTWISE.split(), _pointwise),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "var", "std", "max", "min", "logsumexp"), _reduction),
    **dict.fromkeys(("_softmax", "_log_softmax", "_safe_softmax"), _softmax),
    **dict.fromkeys(("native_batch_norm", "_native_batch_norm_legit", "cudnn_batch_norm"), _batch_norm),
    "_native_batch_norm_legit_no_training": _batch_norm,
    "native_group_norm": _group_norm,
    "native_layer_norm": _layer_norm,
    "convolution": _convolution,
    **dict.fromkeys(("max_pool2d_with_indices", "avg_pool2d"), _pool),
    # of bins that do not divide the map: the windows of two units are not alike
    "_adaptive_avg_pool2d": partial(_untold, "has windows that may differ from place to place"),
    "deform_conv2d": partial(_untold, "has taps that lie where the image puts them"),
    "constant_pad_nd": _pad,
    **dict.fromkeys(("mm", "bmm"), partial(_product, "self", "mat2")),
    "addmm": partial(_product, "mat1", "mat2"),
    "baddbmm": partial(_product, "batch1", "batch2"),
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "squeeze", "_reshape_alias"), layout.regrouped),
    "permute": partial(layout.reordered, layout.permutation),
    **dict.fromkeys(("transpose", "t"), partial(layout.reordered, layout.exchange)),
    "unsqueeze": layout.unsqueeze,
    **dict.fromkeys(("select", "unbind"), layout.select),
    **dict.fromkeys(("slice", "split", "split_with_sizes"), layout.part),
    "cat": _row_of_tensors,
    "stack": _stack,
}

"""What the kernels of a network cost: torch's FlopCounterMode, and the operations that it passes over."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from msanet_bench.measure.conventions import is_free


class Kernels(NamedTuple):
    """What ran.

    Attributes:
        unexpected: Operations that have no rule and are not free by convention.
        reading: Modules that had a parameter of their own read, by whomever.
    """

    macs: int
    unexpected: tuple[str, ...]
    reading: frozenset[str]


def count_kernels(network: nn.Module, images: Tensor) -> Kernels:
    """Watch one forward pass; for exact numbers within `visible_products`."""
    counter = FlopCounterMode(display=False, custom_mapping=_rules_beside_torchs())
    # entered first, so that it sees what the counter hands on after taking operations apart
    with _Witness(counter.flop_registry) as witness, counter:
        network(images)
    flops: int = counter.get_total_flops()
    reading = frozenset(name for name, module in network.named_modules() if _was_read(module, witness.read))
    return Kernels(flops // 2, tuple(sorted(witness.unexpected)), reading)


@contextmanager
def visible_products() -> Iterator[None]:
    """Attention as products that a counter can see: no fused kernel, no fast path of MultiheadAttention."""
    was_enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was_enabled)


def _rules_beside_torchs() -> dict[Any, Any]:
    """What other packages have brought: torchvision is imported by whoever calls its operations."""
    moved = getattr(torch.ops.torchvision, "deform_conv2d", None)
    return {} if moved is None else {moved: _moved_convolution}


def _moved_convolution(
    _: object, weight: Sequence[int], *__: object, out_shape: Sequence[int], **___: object
) -> int:
    """Operations, two a multiply-accumulate: of the products alone, whose taps lie between pixels."""
    return 2 * prod(out_shape) * prod(weight[1:])


class _Witness(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it without types
    """Notes the operations that a counter has no rule for, which it does not say itself, and what is read.

    Attributes:
        read: The operands by `id`; those of parameters stay valid as long as the network lives.
    """

    def __init__(self, rules: Container[Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the same
        self.rules = rules
        self.unexpected: set[str] = set()
        self.read: set[int] = set()

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever the operation returns
        if func.overloadpacket not in self.rules and not _is_free(func):
            self.unexpected.add(_name(func))
        self.read.update(map(id, tree_leaves(args)))
        return func(*args, **(kwargs or {}))


def _was_read(module: nn.Module, read: Container[int]) -> bool:
    return any(id(parameter) in read for parameter in module.parameters(recurse=False))


def _is_free(operation: OpOverload) -> bool:
    # torch's own tag for what treats each element alone
    pointwise = torch.Tag.pointwise in operation.tags
    return pointwise or operation.is_view or is_free(_name(operation))


def _name(operation: OpOverload) -> str:
    """`aten::mv` of torch's `aten.mv`, as fvcore writes it."""
    return str(operation.overloadpacket).replace(".", "::")

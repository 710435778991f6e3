"""Batch norms as part of the convolutions before them: in evaluation both are linear."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils import fuse_conv_bn_weights
from torch.nn.utils.parametrize import is_parametrized
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Pair(NamedTuple):
    """A convolution and the batch norm behind it."""

    conv: _ConvNd
    norm: _BatchNorm


def watch(model: nn.Module, images: Tensor) -> list[Pair]:
    """The batch norms that alone take what one convolution gives, found in one forward pass.

    What one pass cannot show is whether a weight is also used by other means: who folds compares outputs.
    """
    watcher = _Watcher()
    handles = [
        *(m.register_forward_hook(watcher.after_conv) for m in model.modules() if isinstance(m, _ConvNd)),
        *(m.register_forward_pre_hook(watcher.before_norm) for m in model.modules() if _has_statistics(m)),
    ]
    with torch.no_grad(), watcher:
        model(images)
    for handle in handles:
        handle.remove()
    return watcher.pairs()


def fold(model: nn.Module, pairs: Sequence[Pair]) -> None:
    """Give each convolution the weights of both, and put an identity in the place of the norm."""
    for conv, norm in pairs:
        if norm.running_mean is None or norm.running_var is None:
            raise AssertionError("a norm without running statistics is no member of a pair")
        conv.weight, conv.bias = fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
    replace_modules(model, {norm: nn.Identity() for _, norm in pairs})


def replace_modules(model: nn.Module, replacements: Mapping[nn.Module, nn.Module]) -> None:
    """Put modules in the place of others, wherever these are met."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if child in replacements:
                setattr(parent, name, replacements[child])


def _has_statistics(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.running_mean is not None


class _Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not annotate it
    """Counts who takes what a convolution gives."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self._calls: Counter[nn.Module] = Counter()
        # the tensors are kept, so that no other gets the identity of one
        self._made: dict[int, tuple[Tensor, _ConvNd]] = {}
        self._uses: Counter[int] = Counter()
        self._taken: list[tuple[_BatchNorm, int]] = []

    def after_conv(self, conv: nn.Module, _: object, output: Tensor) -> None:
        self._calls[conv] += 1
        if isinstance(conv, _ConvNd):
            self._made[id(output)] = output, conv

    def before_norm(self, norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._calls[norm] += 1
        if isinstance(norm, _BatchNorm):
            self._taken.append((norm, id(inputs[0])))

    def __torch_dispatch__(
        self,
        operation: Callable[..., object],
        _types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        leaves = tree_leaves([args, kwargs])
        self._uses.update(id(leaf) for leaf in leaves if id(leaf) in self._made)
        return operation(*args, **(kwargs or {}))

    def pairs(self) -> list[Pair]:
        found = []
        for norm, identity in self._taken:
            if identity in self._made and self._uses[identity] == 1:
                conv = self._made[identity][1]
                if self._calls[norm] == self._calls[conv] == 1 and _can_fold(conv):
                    found.append(Pair(conv, norm))
        return found


def _can_fold(conv: _ConvNd) -> bool:
    """Whether its weight has the output's channels first and is a plain parameter."""
    return not (isinstance(conv, _ConvTransposeNd) or is_parametrized(conv))

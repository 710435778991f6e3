"""The slots of the network, each with a registry of the blocks that may fill it.

A block is a class with positional arguments, which the network gives, and keyword-only options, which YAML
may set. What the network gives, and what it expects back (N batch, C channels, H height, W width):

    stems       (in_channels, channels)              (N, in_channels, H, W) -> (N, channels, H', W')
    branches    (in_channels, out_channels)          (N, in_channels, H, W) -> (N, out_channels, H, W)
    fusion      (branch_channels, channels)          list of (N, c, H, W)   -> (N, channels, H, W)
    attention   (channels)                           (N, C, H, W)           -> (N, C, H, W)
    heads       (channels, hidden, num_classes)      (N, C, H, W)           -> (N, num_classes)
    norm        (channels)                           (N, C, H, W)           -> (N, C, H, W)
    activation  ()                                   any shape              -> the same

Blocks build `BatchNorm2d` and `nn.ReLU` themselves: `assemble` exchanges these two for the wanted norm and
activation. What a block builds of another kind is meant to be so, and stays; a batch norm that does more than
normalise is refused where it would be exchanged.

A stem also says the smallest image it takes (`min_image`) and the smallest map that the stages behind it may
reach (`min_map`). A branch may say the offset of its outermost tap in pixels (`reach`).

A block may say what it costs: `macs(shape)` is the multiply-accumulates of one forward pass on inputs of that
shape (fusion: on a list of shapes), as a number, or as numbers by the names of its children. The counters are
held against it; a block without one is counted all the same, and its row says so.

Block files import their registry from here. To find the registries filled, take them from `catalogue`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import nn

from msanet_bench.registry import Registry

# of a tensor: (N, C, H, W)
Shape: TypeAlias = Sequence[int]


def _probe(*positional: object) -> Callable[[Callable[..., nn.Module], Mapping[str, Any]], nn.Module]:
    """Builds an entry without memory and without touching the random state."""

    def build(entry: Callable[..., nn.Module], options: Mapping[str, Any]) -> nn.Module:
        with torch.device("meta"):
            return entry(*positional, **options)

    return build


STEMS: Registry[type[nn.Module]] = Registry("stem", probe=_probe(3, 16))
BRANCHES: Registry[type[nn.Module]] = Registry("branch", probe=_probe(64, 16))
FUSION: Registry[type[nn.Module]] = Registry("fusion", probe=_probe((16, 16), 64))
ATTENTION: Registry[type[nn.Module]] = Registry("attention", probe=_probe(64))
HEADS: Registry[type[nn.Module]] = Registry("head", probe=_probe(64, 32, 10))
NORMS: Registry[Callable[..., nn.Module]] = Registry("norm", probe=_probe(64))
# whole networks, MSANet and others, see `families`; not probed: some take a second to build
MODELS: Registry[Callable[..., nn.Module]] = Registry("model")
ACTIVATIONS: Registry[Callable[..., nn.Module]] = Registry("activation", probe=_probe())

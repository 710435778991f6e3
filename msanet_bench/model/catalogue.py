"""Every slot's registry with our blocks in it: a registry that is imported through its folder is filled."""

from collections.abc import Mapping
from typing import Any

from msanet_bench.model import activation, norm
from msanet_bench.model.attention import ATTENTION
from msanet_bench.model.branches import BRANCHES
from msanet_bench.model.fusion import FUSION
from msanet_bench.model.heads import HEADS
from msanet_bench.model.slots import ACTIVATIONS, NORMS
from msanet_bench.model.stems import STEMS
from msanet_bench.registry import Registry

__all__ = ["SLOTS", "activation", "norm"]

SLOTS: Mapping[str, Registry[Any]] = {
    "stem": STEMS,
    "branches": BRANCHES,
    "fusion": FUSION,
    "attention": ATTENTION,
    "head": HEADS,
    "norm": NORMS,
    "activation": ACTIVATIONS,
}

"""The branches of the multi-scale block: one file each."""

from msanet_bench.model.branches import (
    asymmetric,
    conv,
    deformable,
    depthwise,
    depthwise_separable,
    global_context,
    identity,
    max_pool,
    pyramid_pool,
)
from msanet_bench.model.slots import BRANCHES

__all__ = [
    "BRANCHES",
    "asymmetric",
    "conv",
    "deformable",
    "depthwise",
    "depthwise_separable",
    "global_context",
    "identity",
    "max_pool",
    "pyramid_pool",
]

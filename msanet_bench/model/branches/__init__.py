"""The branches of the multi-scale block: one file each."""

from msanet_bench.model.branches import conv, depthwise, global_context, max_pool
from msanet_bench.model.slots import BRANCHES

__all__ = ["BRANCHES", "conv", "depthwise", "global_context", "max_pool"]

"""How the branches become one map: one file each."""

from msanet_bench.model.fusion import addition, concat, gated, selective_kernel
from msanet_bench.model.slots import FUSION

__all__ = ["FUSION", "addition", "concat", "gated", "selective_kernel"]

"""How the branches become one map: one file each."""

from msanet_bench.model.fusion import addition, concat
from msanet_bench.model.slots import FUSION

__all__ = ["FUSION", "addition", "concat"]

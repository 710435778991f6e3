"""The last layers, from map to class scores: one file each."""

from msanet_bench.model.heads import gem, linear, mlp
from msanet_bench.model.slots import HEADS

__all__ = ["HEADS", "gem", "linear", "mlp"]

"""The last layers, from map to class scores: one file each."""

from msanet_bench.model.heads import linear, mlp
from msanet_bench.model.slots import HEADS

__all__ = ["HEADS", "linear", "mlp"]

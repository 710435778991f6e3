"""Attention over positions or channels: one file each."""

from msanet_bench.model.attention import eca, none, se, self_attention
from msanet_bench.model.slots import ATTENTION

__all__ = ["ATTENTION", "eca", "none", "se", "self_attention"]

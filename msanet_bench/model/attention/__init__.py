"""Attention over positions or channels: one file each."""

from msanet_bench.model.attention import (
    axial,
    cbam,
    coordinate,
    eca,
    linear,
    none,
    se,
    self_attention,
    simam,
    timm_layer,
    window,
)
from msanet_bench.model.slots import ATTENTION

__all__ = [
    "ATTENTION",
    "axial",
    "cbam",
    "coordinate",
    "eca",
    "linear",
    "none",
    "se",
    "self_attention",
    "simam",
    "timm_layer",
    "window",
]

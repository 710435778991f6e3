"""Networks of other families, for the same table: one file a source, one function a network.

An entry is a function with positional arguments, which the data give, and keyword-only options, which YAML
may set: `(in_channels, num_classes)` or `(in_channels, num_classes, size)`, where the size is
(height, width). It gives a module that takes images (N, in_channels, H, W) to (N, num_classes). Its
constructor draws the start, from torch's global generator alone.
"""

from msanet_bench.model.families import article, outside, timm_models, vision
from msanet_bench.model.slots import MODELS

__all__ = ["MODELS", "article", "outside", "timm_models", "vision"]

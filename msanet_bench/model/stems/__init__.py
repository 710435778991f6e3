"""The first layers, from image to map: one file each."""

from msanet_bench.model.slots import STEMS
from msanet_bench.model.stems import imagenet, patchify, small

__all__ = ["STEMS", "imagenet", "patchify", "small"]

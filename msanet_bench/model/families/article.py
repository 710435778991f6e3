"""The network that this package is about, among the others."""

from torch import nn

from msanet_bench.model.assemble import assemble
from msanet_bench.model.slots import MODELS
from msanet_bench.spec import ModelSpec


@MODELS.register("msanet")
def msanet(in_channels: int, num_classes: int) -> nn.Module:
    """The design article's network; what fills its slots is said by keys of their own."""
    return assemble(ModelSpec(), num_classes=num_classes, in_channels=in_channels)

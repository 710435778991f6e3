# N batch, c one branch's channels, C channels, H height, W width
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import FUSION, Shape


@FUSION.register("concat")
class Concat(nn.Module):
    """Branches side by side, mixed by a 1 x 1 convolution (Szegedy et al. 2015, arXiv:1409.4842, section 4).

    outputs: a list of (N, c, H, W) -> (N, C, H, W)
    """

    def __init__(self, branch_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(sum(branch_channels), channels, 1)
        self.norm = BatchNorm2d(channels)
        self.activation = nn.ReLU()

    def forward(self, outputs_NcHW: Sequence[Tensor]) -> Tensor:
        output_NCHW: Tensor = self.activation(self.norm(self.conv(torch.cat(tuple(outputs_NcHW), dim=1))))
        return output_NCHW

    def macs(self, shapes: Sequence[Shape]) -> int:
        batch, _, height, width = shapes[0]
        return batch * height * width * sum(shape[1] for shape in shapes) * self.conv.out_channels

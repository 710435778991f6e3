# N batch, c one branch's channels, C channels, H height, W width, M channels of the widest branch
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import FUSION, Shape


@FUSION.register("sum")
class Sum(nn.Module):
    """Branches added up, mixed by a 1 x 1 convolution (Li et al. 2019, arXiv:1903.06586, eq. 1).

    outputs: a list of (N, c, H, W) -> (N, C, H, W)

    Branches may differ in width: the narrower ones are filled up with zero channels.
    """

    def __init__(self, branch_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        self.widest = max(branch_channels)
        self.conv = nn.Conv2d(self.widest, channels, 1)
        self.norm = BatchNorm2d(channels)
        self.activation = nn.ReLU()

    def forward(self, outputs_NcHW: Sequence[Tensor]) -> Tensor:
        filled_NMHW = [nn.functional.pad(x, (0, 0, 0, 0, 0, self.widest - x.shape[1])) for x in outputs_NcHW]
        output_NCHW: Tensor = self.activation(self.norm(self.conv(torch.stack(filled_NMHW).sum(dim=0))))
        return output_NCHW

    def macs(self, shapes: Sequence[Shape]) -> int:
        batch, _, height, width = shapes[0]
        return batch * height * width * self.widest * self.conv.out_channels

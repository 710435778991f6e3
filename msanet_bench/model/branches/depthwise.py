# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.branches.taps import reach
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("depthwise")
class Depthwise(nn.Module):
    """Mix the channels, then filter each alone (BSConv-U of Haase & Amthor 2020, arXiv:2003.13549).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W)

    The pointwise part comes first, so the filters run on the branch's few channels. Biases are ours, as
    everywhere in this network; batch norm and ReLU follow at the end only.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int = 3, dilation: int = 1) -> None:
        super().__init__()
        self.reach = reach(kernel, dilation)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)
        self.depthwise = nn.Conv2d(
            out_channels, out_channels, kernel, padding=self.reach, dilation=dilation, groups=out_channels
        )
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        output_NCHW: Tensor = self.activation(self.norm(self.depthwise(self.pointwise(x_NCHW))))
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        out_channels, taps = self.depthwise.out_channels, self.depthwise.kernel_size[0] ** 2
        return batch * height * width * out_channels * (in_channels + taps)

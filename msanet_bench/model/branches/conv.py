# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.branches.taps import reach
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("conv")
class Conv(nn.Module):
    """Convolution, batch norm, ReLU; dilation spreads the taps (Yu & Koltun 2016, arXiv:1511.07122, eq. 2).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W)
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int = 3, dilation: int = 1) -> None:
        super().__init__()
        self.reach = reach(kernel, dilation)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=self.reach, dilation=dilation)
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        output_NCHW: Tensor = self.activation(self.norm(self.conv(x_NCHW)))
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        taps = self.conv.kernel_size[0] ** 2  # those on the padding count too
        return batch * height * width * self.conv.out_channels * in_channels * taps

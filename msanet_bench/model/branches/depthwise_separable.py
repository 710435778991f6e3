# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.branches.taps import reach
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("depthwise_separable")
class DepthwiseSeparable(nn.Module):
    """Filter each channel alone, then mix them (Howard et al. 2017, arXiv:1704.04861, section 3.1).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W)

    Batch norm and ReLU follow both parts, as in the source; `depthwise` has the parts the other way round.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int = 3, dilation: int = 1) -> None:
        super().__init__()
        self.reach = reach(kernel, dilation)
        self.depthwise = nn.Conv2d(
            in_channels, in_channels, kernel, padding=self.reach, dilation=dilation, groups=in_channels
        )
        self.depthwise_norm = BatchNorm2d(in_channels)
        self.depthwise_activation = nn.ReLU()
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        filtered_NCHW = self.depthwise_activation(self.depthwise_norm(self.depthwise(x_NCHW)))
        mixed_NCHW: Tensor = self.activation(self.norm(self.pointwise(filtered_NCHW)))
        return mixed_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        taps = self.depthwise.kernel_size[0] ** 2
        return batch * height * width * in_channels * (taps + self.pointwise.out_channels)

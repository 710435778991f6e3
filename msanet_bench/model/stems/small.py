# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import STEMS, Shape


@STEMS.register("small")
class Small(nn.Module):
    """Every pixel of a small image kept (He et al. 2016, arXiv:1512.03385, section 4.2).

    x: (N, in_channels, H, W) -> (N, channels, H, W)
    """

    min_image = 8
    min_map = 2

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.norm = BatchNorm2d(channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        output_NCHW: Tensor = self.activation(self.norm(self.conv(x_NCHW)))
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        return batch * height * width * self.conv.out_channels * in_channels * 3 * 3

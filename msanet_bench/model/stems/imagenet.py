# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import STEMS, Shape


@STEMS.register("imagenet")
class Imagenet(nn.Module):
    """A quarter of the image's size in two steps (He et al. 2016, arXiv:1512.03385, table 1).

    x: (N, in_channels, H, W) -> (N, channels, H / 4, W / 4), rounded up
    """

    min_image = 16
    min_map = 1

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 7, stride=2, padding=3)
        self.norm = BatchNorm2d(channels)
        self.activation = nn.ReLU()
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        pooled_NCHW: Tensor = self.pool(self.activation(self.norm(self.conv(x_NCHW))))
        return pooled_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        positions = -(-height // 2) * -(-width // 2)  # before the pool
        return batch * positions * self.conv.out_channels * in_channels * 7 * 7

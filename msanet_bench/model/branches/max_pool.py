# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.branches.taps import reach
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("max_pool")
class MaxPool(nn.Module):
    """Largest value around each position, then a projection (Szegedy et al. 2015, arXiv:1409.4842, fig. 2b).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W)

    The batch norm is ours; the source predates it.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int = 3) -> None:
        super().__init__()
        self.reach = reach(kernel)
        self.pool = nn.MaxPool2d(kernel, stride=1, padding=self.reach)
        self.conv = nn.Conv2d(in_channels, out_channels, 1)
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        output_NCHW: Tensor = self.activation(self.norm(self.conv(self.pool(x_NCHW))))
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        return batch * height * width * in_channels * self.conv.out_channels

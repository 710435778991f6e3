# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("global_context")
class GlobalContext(nn.Module):
    """The mean of the whole map, at every position (Chen et al. 2017, arXiv:1706.05587, section 3.3).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W)

    The source resizes the 1 x 1 map bilinearly. Every weight of that sum falls on the one pixel there is, so
    it is a broadcast, which costs nothing.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1)
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        pooled_NC11 = x_NCHW.mean(dim=(2, 3), keepdim=True)
        context_NC11: Tensor = self.activation(self.norm(self.conv(pooled_NC11)))
        return context_NC11.expand(-1, -1, *x_NCHW.shape[2:])

    def macs(self, shape: Shape) -> int:
        batch, in_channels, *_ = shape
        return batch * in_channels * self.conv.out_channels

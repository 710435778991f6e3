from torch import Tensor, nn

from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("none")
class NoAttention(nn.Module):
    """The input as it is: the ablation of attention.

    x: (N, C, H, W) -> (N, C, H, W)
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return x_NCHW

    def macs(self, _: Shape) -> int:
        return 0

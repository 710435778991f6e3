# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("identity")
class Identity(nn.Module):
    """The first channels of the input as they are (Yu et al. 2024, arXiv:2303.16900).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W)

    A slice and no projection: it has no parameters and costs nothing, so it shows what passing on is worth.
    A 1 x 1 projection is `conv` with `kernel: 1`. Two of these branches carry the same channels.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        if out_channels > in_channels:
            raise ValueError(
                f"must not have more channels out than in, but got ({in_channels=}, {out_channels=})."
            )
        self.out_channels = out_channels

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return x_NCHW[:, : self.out_channels]

    def macs(self, _: Shape) -> int:
        return 0

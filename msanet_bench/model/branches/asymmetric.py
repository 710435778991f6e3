# N batch, C channels, H height, W width
from torch import Tensor, nn

from msanet_bench.model.branches.taps import reach
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("asymmetric")
class Asymmetric(nn.Module):
    """A row of taps, then a column: 1 x k, k x 1 (Szegedy et al. 2016, arXiv:1512.00567, section 3.2).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W)

    Batch norm and ReLU follow both. The row already gives the branch's few channels.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int = 3, dilation: int = 1) -> None:
        super().__init__()
        self.reach = reach(kernel, dilation)
        self.row = nn.Conv2d(
            in_channels, out_channels, (1, kernel), padding=(0, self.reach), dilation=(1, dilation)
        )
        self.row_norm = BatchNorm2d(out_channels)
        self.row_activation = nn.ReLU()
        self.column = nn.Conv2d(
            out_channels, out_channels, (kernel, 1), padding=(self.reach, 0), dilation=(dilation, 1)
        )
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        row_NCHW = self.row_activation(self.row_norm(self.row(x_NCHW)))
        output_NCHW: Tensor = self.activation(self.norm(self.column(row_NCHW)))
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        out_channels, taps = self.row.out_channels, self.row.kernel_size[1]
        return batch * height * width * taps * out_channels * (in_channels + out_channels)

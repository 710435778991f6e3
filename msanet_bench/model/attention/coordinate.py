# N batch, C channels, H height, W width, R reduced channels, L positions along both axes (H + W)
import torch
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("coordinate")
class CoordinateAttention(nn.Module):
    """Scale by one gate for each row and one for each column (Hou et al. 2021, arXiv:2103.02907).

    x: (N, C, H, W) -> (N, C, H, W), R = C / reduction, at least 8 as in the authors' code

    The gates come from the means of rows and columns, which share a hidden layer with hard swish.
    """

    def __init__(self, channels: int, *, reduction: int = 32) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        reduced = max(8, channels // reduction)
        self.squeeze = nn.Conv2d(channels, reduced, 1)
        self.norm = BatchNorm2d(reduced)
        self.rows = nn.Conv2d(reduced, channels, 1)
        self.columns = nn.Conv2d(reduced, channels, 1)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        height, width = x_NCHW.shape[2:]
        means_NCL1 = torch.cat(
            (x_NCHW.mean(dim=3, keepdim=True), x_NCHW.mean(dim=2, keepdim=True).transpose(2, 3)), dim=2
        )
        hidden_NRL1 = nn.functional.hardswish(self.norm(self.squeeze(means_NCL1)))
        row_NRH1, column_NRW1 = torch.split(hidden_NRL1, [height, width], dim=2)
        row_gate_NCH1 = torch.sigmoid(self.rows(row_NRH1))
        column_gate_NC1W = torch.sigmoid(self.columns(column_NRW1.transpose(2, 3)))
        return x_NCHW * row_gate_NCH1 * column_gate_NC1W

    def macs(self, shape: Shape) -> dict[str, int]:
        batch, channels, height, width = shape
        each = batch * channels * self.squeeze.out_channels
        return {"squeeze": each * (height + width), "rows": each * height, "columns": each * width}

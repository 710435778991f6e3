# N batch, C channels, H height, W width, D query width, L length of a line
import torch
from torch import Tensor, nn

from msanet_bench.model.attention.dot_product import DotProductAttention
from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("axial")
class AxialAttention(nn.Module):
    """Attention along the columns, then along the rows (Wang et al. 2020, arXiv:2003.07853, section 3.2).

    x: (N, C, H, W) -> (N, C, H, W)

    After both, each position has heard of every other. The source's positional terms are left out.
    Projections and `gamma`, which starts at 0 and weights the result of both, are those of `self_attention`.

    Args:
        channels: C.
        reduction: D = C / reduction, at least 1.
    """

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        width = max(1, channels // reduction)
        self.columns = LineAttention(channels, width)
        self.rows = LineAttention(channels, width)
        self.gamma = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.gamma)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        mixed_NCWH = self.columns(x_NCHW.transpose(2, 3))
        mixed_NCHW = self.rows(mixed_NCWH.transpose(2, 3))
        output_NCHW: Tensor = x_NCHW + self.gamma * mixed_NCHW
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, channels, height, width = shape
        along_columns = self.columns.macs((batch, channels, width, height))
        return sum(along_columns.values()) + sum(self.rows.macs(shape).values())


class LineAttention(nn.Module):
    """Every position looks at those of its own line along the last axis.

    x: (N, C, H, L) -> (N, C, H, L)
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, width, 1)
        self.key = nn.Conv2d(channels, width, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.core = DotProductAttention(scale=width**-0.5)

    def forward(self, x_NCHL: Tensor) -> Tensor:
        batch, channels, lines, length = x_NCHL.shape
        query, key, value = (
            layer(x_NCHL).transpose(1, 2).flatten(0, 1) for layer in (self.query, self.key, self.value)
        )
        mixed: Tensor = self.core(query, key, value)
        return mixed.reshape(batch, lines, channels, length).transpose(1, 2)

    def macs(self, shape: Shape) -> dict[str, int]:
        batch, channels, lines, length = shape
        positions, narrow = batch * lines * length, self.query.out_channels
        return {
            "query": positions * channels * narrow,
            "key": positions * channels * narrow,
            "value": positions * channels * channels,
            "core": positions * length * (self.core.query_width(narrow, channels) + channels),
        }

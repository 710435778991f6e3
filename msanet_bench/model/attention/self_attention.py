# N batch, C channels, H height, W width, D query width, P positions (H * W)
import torch
from torch import Tensor, nn

from msanet_bench.model.attention.dot_product import DotProductAttention
from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("self_attention")
class SelfAttention(nn.Module):
    """Every position looks at all others; added to the input (Zhang et al. 2019, arXiv:1805.08318).

    x: (N, C, H, W) -> (N, C, H, W)

    The result is weighted by `gamma`, which starts at 0: at the start the block passes its input on. As in
    the design article the values keep all C channels, where the source reduces them and projects back.

    Args:
        channels: C.
        reduction: The query's and key's width is C / reduction, at least 1.
        scaled: Divide the dot products by the root of that width (Vaswani et al. 2017, arXiv:1706.03762,
            eq. 1); the article does not.
    """

    def __init__(self, channels: int, *, reduction: int = 8, scaled: bool = False) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        width = max(1, channels // reduction)
        self.query = nn.Conv2d(channels, width, 1)
        self.key = nn.Conv2d(channels, width, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.core = DotProductAttention(scale=width**-0.5 if scaled else 1.0)
        self.gamma = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.gamma)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        query_NDP = self.query(x_NCHW).flatten(2)
        key_NDP = self.key(x_NCHW).flatten(2)
        value_NCP = self.value(x_NCHW).flatten(2)
        mixed_NCP: Tensor = self.core(query_NDP, key_NDP, value_NCP)
        return x_NCHW + self.gamma * mixed_NCP.reshape(x_NCHW.shape)

    def macs(self, shape: Shape) -> dict[str, int]:
        batch, channels, height, width = shape
        positions, narrow = height * width, self.query.out_channels
        return {
            "query": batch * positions * channels * narrow,
            "key": batch * positions * channels * narrow,
            "value": batch * positions * channels * channels,
            "core": batch * positions**2 * (self.core.query_width(narrow, channels) + channels),
        }

# N batch, C channels, H height, W width, D query width, P positions (H * W), S positions that are looked at
# B batch and heads (N * heads), d and c widths of one head
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from msanet_bench.model.attention.dot_product import DotProductAttention
from msanet_bench.model.slots import ATTENTION, Shape
from msanet_bench.registry import LATER


@ATTENTION.register("self_attention")
class SelfAttention(nn.Module):
    """Every position looks at all others; added to the input (Zhang et al. 2019, arXiv:1805.08318).

    x: (N, C, H, W) -> (N, C, H, W)

    The result is weighted by `gamma`, which starts at 0: at the start the block passes its input on. As in
    the design article the values keep all C channels, where the source reduces them and projects back.

    Args:
        channels: C.
        reduction: The query's and key's width is C / reduction, shared by the heads, at least 1 each.
        scaled: Divide the dot products by the root of a head's width (Vaswani et al. 2017, arXiv:1706.03762,
            eq. 1); the article does not.
        heads: Into how many groups the channels are split, each with weights of its own (the same, section
            3.2.2), without the projection behind them, as all heads stand at their place already.
        pool: Keys and values are pooled in windows of this side (Wang et al. 2018, arXiv:1711.07971, section
            3.3, whose side is 2). Windows that reach beyond the map are cut.
        pooling: How; the source takes the largest.
    """

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 8,
        scaled: bool = False,
        heads: Annotated[int, LATER] = 1,
        pool: Annotated[int, LATER] = 1,
        pooling: Annotated[Literal["max", "average"], LATER] = "max",
    ) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        if heads < 1 or channels % heads:
            raise ValueError(f"`heads` must divide the channels, but got ({heads=}, {channels=}).")
        if pool < 1:
            raise ValueError(f"`pool` must be positive, but got ({pool=}).")
        width = max(1, channels // reduction // heads)
        self.heads, self.pool, self.pooling = heads, pool, pooling
        self.query = nn.Conv2d(channels, heads * width, 1)
        self.key = nn.Conv2d(channels, heads * width, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.core = DotProductAttention(scale=width**-0.5 if scaled else 1.0)
        self.gamma = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.gamma)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        query_BdP = self._by_head(self.query(x_NCHW))
        key_BdS = self._by_head(self._pooled(self.key(x_NCHW)))
        value_BcS = self._by_head(self._pooled(self.value(x_NCHW)))
        mixed_BcP: Tensor = self.core(query_BdP, key_BdS, value_BcS)
        return x_NCHW + self.gamma * mixed_BcP.reshape(x_NCHW.shape)

    def _by_head(self, x_NDHW: Tensor) -> Tensor:
        """The heads as members of the batch: (N * heads, D / heads, H * W)."""
        batch, width, *_ = x_NDHW.shape
        flat_NDP = x_NDHW.flatten(2)
        if self.heads == 1:
            return flat_NDP
        return flat_NDP.reshape(batch * self.heads, width // self.heads, flat_NDP.shape[2])

    def _pooled(self, x_NDHW: Tensor) -> Tensor:
        if self.pool == 1:
            return x_NDHW
        function = nn.functional.max_pool2d if self.pooling == "max" else nn.functional.avg_pool2d
        return function(x_NDHW, self.pool, ceil_mode=True)

    def macs(self, shape: Shape) -> dict[str, int]:
        batch, channels, height, width = shape
        positions, narrow = height * width, self.query.out_channels
        looked_at = -(-height // self.pool) * -(-width // self.pool)
        return {
            "query": batch * positions * channels * narrow,
            "key": batch * positions * channels * narrow,
            "value": batch * positions * channels * channels,
            "core": batch * positions * looked_at * (self.core.query_width(narrow, channels) + channels),
        }

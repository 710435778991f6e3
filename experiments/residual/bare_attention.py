# N batch, C channels, H height, W width, D query width, P positions (H * W)
"""Self-attention without its residual, as a control; named by residual.yaml beside it."""

from torch import Tensor, nn

from msanet_bench.model.attention.dot_product import DotProductAttention
from msanet_bench.model.slots import ATTENTION


@ATTENTION.register("bare_attention")
class BareAttention(nn.Module):
    """What `self_attention` adds to its input, alone and from the start at full weight.

    x: (N, C, H, W) -> (N, C, H, W)
    """

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__()
        width = max(1, channels // reduction)
        self.query = nn.Conv2d(channels, width, 1)
        self.key = nn.Conv2d(channels, width, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.core = DotProductAttention()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        query_NDP, key_NDP, value_NCP = (
            project(x_NCHW).flatten(2) for project in (self.query, self.key, self.value)
        )
        mixed_NCP: Tensor = self.core(query_NDP, key_NDP, value_NCP)
        return mixed_NCP.reshape(x_NCHW.shape)

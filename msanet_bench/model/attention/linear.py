# N batch, C channels, H height, W width, D query width, P positions (H * W)
import torch
from torch import Tensor, nn

from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("linear")
class LinearAttention(nn.Module):
    """Self-attention at a cost linear in the positions (Katharopoulos et al. 2020, arXiv:2006.16236, eq. 5).

    x: (N, C, H, W) -> (N, C, H, W)

    The softmax of dot products gives way to phi(q)^T phi(k) with phi = elu + 1 (eq. 7), so the products of
    keys and values are summed once for all positions. Projections and `gamma`, which starts at 0, are those
    of `self_attention`; the source has neither a reduction nor a gate.

    Args:
        channels: C.
        reduction: D = C / reduction, at least 1.
    """

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        width = max(1, channels // reduction)
        self.query = nn.Conv2d(channels, width, 1)
        self.key = nn.Conv2d(channels, width, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.gamma)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        query_NPD = _feature(self.query(x_NCHW).flatten(2).transpose(1, 2))
        key_NDP = _feature(self.key(x_NCHW).flatten(2))
        value_NPC = self.value(x_NCHW).flatten(2).transpose(1, 2)
        weight_NDC = torch.bmm(key_NDP, value_NPC)
        norm_NP1 = torch.bmm(query_NPD, key_NDP.sum(dim=2, keepdim=True))
        mixed_NPC = torch.bmm(query_NPD, weight_NDC) / norm_NP1
        return x_NCHW + self.gamma * mixed_NPC.transpose(1, 2).reshape(x_NCHW.shape)

    def macs(self, shape: Shape) -> int:
        batch, channels, height, width = shape
        narrow = self.query.out_channels
        projections = channels * (2 * narrow + channels)
        products = narrow * (2 * channels + 1)
        return batch * height * width * (projections + products)


def _feature(x: Tensor) -> Tensor:
    return nn.functional.elu(x) + 1

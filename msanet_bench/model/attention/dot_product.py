# N batch, D query width, C value width, P positions
"""The arithmetic of dot-product attention, in two implementations with one result."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

Implementation: TypeAlias = Literal["auto", "explicit", "sdpa"]


class DotProductAttention(nn.Module):
    """Each position's average of the values, weighted by softmax(scale * Q^T K) over all positions.

    query, key: (N, D, P), value: (N, C, P) -> (N, C, P), with D <= C

    A module without parameters, so that counters can name the arithmetic.

    Attributes:
        implementation: "explicit" writes the P x P weights; "sdpa" calls torch's fused kernels; "auto" is
            explicit on the CPU, where it was 1.0 to 2.4 times as fast, and sdpa elsewhere.
    """

    def __init__(self, *, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.implementation: Implementation = "auto"

    def forward(self, query_NDP: Tensor, key_NDP: Tensor, value_NCP: Tensor) -> Tensor:
        on_cpu = query_NDP.device.type == "cpu"
        if self.implementation == "explicit" or (self.implementation == "auto" and on_cpu):
            return self._explicit(query_NDP, key_NDP, value_NCP)
        if not (on_cpu and torch.is_autocast_enabled("cpu")):
            return self._sdpa(query_NDP, key_NDP, value_NCP)
        # the CPU's kernel is fastest in float32, whatever the layers around it compute in
        with torch.autocast("cpu", enabled=False):
            mixed_NCP = self._sdpa(query_NDP.float(), key_NDP.float(), value_NCP.float())
        return mixed_NCP.to(value_NCP.dtype)

    def query_width(self, query: int, value: int) -> int:
        """How wide the dot products are on the CPU: `sdpa` multiplies zeros too, up to the values' width."""
        return value if self.implementation == "sdpa" else query

    def _explicit(self, query_NDP: Tensor, key_NDP: Tensor, value_NCP: Tensor) -> Tensor:
        weight_NPP = torch.bmm(self.scale * query_NDP.transpose(1, 2), key_NDP).softmax(dim=2)
        return torch.bmm(value_NCP, weight_NPP.transpose(1, 2))

    def _sdpa(self, query_NDP: Tensor, key_NDP: Tensor, value_NCP: Tensor) -> Tensor:
        """The same through `scaled_dot_product_attention`, in the form that its fused kernels take.

        They want query, key and value with a dimension of heads, of one width and contiguous in it. Zeros
        appended to query and key add nothing to a dot product, so the padding is exact; the scale is passed,
        since torch's default would come from the padded width.
        """
        query_N1PC, key_N1PC, value_N1PC = (
            nn.functional.pad(x.transpose(1, 2), (0, value_NCP.shape[1] - x.shape[1])).contiguous()[:, None]
            for x in (query_NDP, key_NDP, value_NCP)
        )
        mixed_N1PC = nn.functional.scaled_dot_product_attention(
            query_N1PC, key_N1PC, value_N1PC, scale=self.scale
        )
        return mixed_N1PC.squeeze(1).transpose(1, 2)


def use_attention(model: nn.Module, implementation: Implementation) -> None:
    """Choose the implementation of every dot-product attention in a model."""
    for module in model.modules():
        if isinstance(module, DotProductAttention):
            module.implementation = implementation

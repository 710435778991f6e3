# N batch, C channels, H height, W width, R reduced channels
import torch
from torch import Tensor, nn

from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("se")
class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate of all channels' means (Hu et al. 2018, arXiv:1709.01507, eq. 2-4).

    x: (N, C, H, W) -> (N, C, H, W), R = C / reduction, at least 1
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        reduced = max(1, channels // reduction)
        self.squeeze = nn.Linear(channels, reduced)
        self.activation = nn.ReLU()
        self.excite = nn.Linear(reduced, channels)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        squeezed_NR = self.activation(self.squeeze(x_NCHW.mean(dim=(2, 3))))
        gate_NC = torch.sigmoid(self.excite(squeezed_NR))
        return x_NCHW * gate_NC[:, :, None, None]

    def macs(self, shape: Shape) -> dict[str, int]:
        batch, channels, *_ = shape
        each = batch * channels * self.squeeze.out_features
        return {"squeeze": each, "excite": each}

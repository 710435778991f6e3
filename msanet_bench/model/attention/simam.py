# N batch, C channels, H height, W width
import math

import torch
from torch import Tensor, nn

from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("simam")
class SimAM(nn.Module):
    """Scale each value by how far it stands out of its channel, without parameters (Yang et al. 2021).

    x: (N, C, H, W) -> (N, C, H, W)

    PMLR 139, 11863-11874: the gate is the sigmoid of 1 / e, with e the least energy of a value; the variance
    in it is that over all H * W positions, where the authors' code divides by one less.

    Args:
        channels: Not used.
        regularisation: lambda of the energy, which keeps a constant channel's energy finite.
    """

    def __init__(self, channels: int, *, regularisation: float = 1e-4) -> None:
        super().__init__()
        if not (math.isfinite(regularisation) and regularisation > 0):
            raise ValueError(f"`regularisation` must be positive and finite, but got ({regularisation=}).")
        self.channels, self.regularisation = channels, regularisation

    def forward(self, x_NCHW: Tensor) -> Tensor:
        squared_NCHW = (x_NCHW - x_NCHW.mean(dim=(2, 3), keepdim=True)).square()
        variance_NC11 = squared_NCHW.mean(dim=(2, 3), keepdim=True)
        # ((t - mean)^2 + 2 variance + 2 lambda) / (4 (variance + lambda)), with the constant taken out
        inverse_energy_NCHW = squared_NCHW / (4 * (variance_NC11 + self.regularisation)) + 0.5
        return x_NCHW * torch.sigmoid(inverse_energy_NCHW)

    def macs(self, _: Shape) -> int:
        return 0

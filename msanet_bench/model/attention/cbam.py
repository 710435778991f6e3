# N batch, C channels, H height, W width, R reduced channels
import torch
from torch import Tensor, nn

from msanet_bench.model.branches.taps import reach
from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("cbam")
class CBAM(nn.Module):
    """Scale each channel, then each position, by gates of their means and maxima (Woo et al. 2018).

    x: (N, C, H, W) -> (N, C, H, W), R = C / reduction, at least 1

    arXiv:1807.06521, eq. 1-3. The spatial gate has no batch norm, as in eq. 3; the authors' code has one.

    Args:
        channels: C.
        reduction: Of the hidden layer that mean and maximum share.
        kernel: Side of the spatial gate's convolution, odd.
    """

    def __init__(self, channels: int, *, reduction: int = 16, kernel: int = 7) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        reduced = max(1, channels // reduction)
        self.squeeze = nn.Linear(channels, reduced)
        self.excite = nn.Linear(reduced, channels)
        self.spatial = nn.Conv2d(2, 1, kernel, padding=reach(kernel), bias=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        logit_NC = self._excited(x_NCHW.mean(dim=(2, 3))) + self._excited(x_NCHW.amax(dim=(2, 3)))
        scaled_NCHW = x_NCHW * torch.sigmoid(logit_NC)[:, :, None, None]
        mean_N1HW, largest_N1HW = scaled_NCHW.mean(dim=1, keepdim=True), scaled_NCHW.amax(dim=1, keepdim=True)
        gate_N1HW = torch.sigmoid(self.spatial(torch.cat((mean_N1HW, largest_N1HW), dim=1)))
        return scaled_NCHW * gate_N1HW

    def _excited(self, pooled_NC: Tensor) -> Tensor:
        excited_NC: Tensor = self.excite(torch.relu(self.squeeze(pooled_NC)))
        return excited_NC

    def macs(self, shape: Shape) -> dict[str, int]:
        batch, channels, height, width = shape
        each = 2 * batch * channels * self.squeeze.out_features  # for the mean and for the maximum
        taps = 2 * self.spatial.kernel_size[0] ** 2
        return {"squeeze": each, "excite": each, "spatial": batch * height * width * taps}

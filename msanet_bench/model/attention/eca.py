# N batch, C channels, H height, W width
import math

import torch
from torch import Tensor, nn

from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("eca")
class ECA(nn.Module):
    """Scale each channel by a 1-D convolution over its neighbours' means (Wang et al., arXiv:1910.03151).

    x: (N, C, H, W) -> (N, C, H, W)

    The kernel grows with the logarithm of C (eq. 12): |log2(C) / gamma + b / gamma|, cut to a whole
    number and raised to the next odd one, as in the authors' code. It has no bias.
    """

    def __init__(self, channels: int, *, gamma: float = 2.0, b: float = 1.0) -> None:
        super().__init__()
        if not (math.isfinite(gamma) and gamma > 0):
            raise ValueError(f"`gamma` must be positive and finite, but got ({gamma=}).")
        if not math.isfinite(b):
            raise ValueError(f"`b` must be finite, but got ({b=}).")
        kernel = int(abs((math.log2(channels) + b) / gamma)) | 1
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        pooled_N1C = x_NCHW.mean(dim=(2, 3))[:, None, :]
        gate_NC = torch.sigmoid(self.conv(pooled_N1C))[:, 0, :]
        return x_NCHW * gate_NC[:, :, None, None]

    def macs(self, shape: Shape) -> dict[str, int]:
        batch, channels, *_ = shape
        return {"conv": batch * channels * self.conv.kernel_size[0]}

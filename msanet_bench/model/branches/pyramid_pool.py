# N batch, C channels, H height, W width, B bins along a side, R channels of one level
import torch
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("pyramid_pool")
class PyramidPool(nn.Module):
    """Means over coarse and fine parts of the map, beside it (Zhao et al. 2017, arXiv:1612.01105, fig. 3).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W), R = in_channels / number of levels, at least 1

    Each level pools to B x B parts, projects to R channels and is resized bilinearly. All lie beside the
    input, as in the source; a 1 x 1 convolution to the branch's channels stands for the source's last one.
    Deterministic on the CPU. CUDA has no deterministic gradient for this pooling: a record says so.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bins: tuple[int, ...] = (1, 2, 3, 6)) -> None:
        super().__init__()
        if not bins or min(bins) < 1:
            raise ValueError(f"`bins` must be positive numbers, but got ({bins=}).")
        self.bins = bins
        reduced = max(1, in_channels // len(bins))
        self.levels = nn.ModuleList(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(side),
                nn.Conv2d(in_channels, reduced, 1),
                BatchNorm2d(reduced),
                nn.ReLU(),
            )
            for side in bins
        )
        self.conv = nn.Conv2d(in_channels + reduced * len(bins), out_channels, 1)
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        levels_NRHW = [
            nn.functional.interpolate(level(x_NCHW), size=x_NCHW.shape[2:], mode="bilinear")
            for level in self.levels
        ]
        output_NCHW: Tensor = self.activation(self.norm(self.conv(torch.cat((x_NCHW, *levels_NRHW), dim=1))))
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        reduced = max(1, in_channels // len(self.bins))
        pooled = sum(side**2 for side in self.bins) * in_channels * reduced
        return batch * (pooled + height * width * self.conv.in_channels * self.conv.out_channels)

# N batch, C channels, H height, W width, P side of a patch
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import STEMS, Shape


@STEMS.register("patchify")
class Patchify(nn.Module):
    """One position for each patch of P x P pixels (Liu et al. 2022, arXiv:2201.03545, section 2.2).

    x: (N, in_channels, H, W) -> (N, channels, H / P, W / P), rounded down: what fills no patch is not seen

    No activation follows the norm, as in the source, whose norm is a layer norm.
    """

    min_image = 8
    min_map = 1

    def __init__(self, in_channels: int, channels: int, *, patch: int = 4) -> None:
        super().__init__()
        if patch < 1:
            raise ValueError(f"`patch` must be positive, but got ({patch=}).")
        self.min_image = 2 * patch
        self.conv = nn.Conv2d(in_channels, channels, patch, stride=patch)
        self.norm = BatchNorm2d(channels)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        patches_NCHW: Tensor = self.norm(self.conv(x_NCHW))
        return patches_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        patch = self.conv.kernel_size[0]
        positions = (height // patch) * (width // patch)
        return batch * positions * self.conv.out_channels * in_channels * patch**2

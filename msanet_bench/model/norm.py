"""Norms: batch normalisation with a rule for the one case that torch leaves open, and what may replace it."""

from torch import Tensor, nn

from msanet_bench.model.slots import NORMS


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation (Ioffe & Szegedy 2015, arXiv:1502.03167) that also trains on a single value.

    x: (N, C, H, W) -> (N, C, H, W)

    One value a channel (one image, 1 x 1 map) has no variance, and stock torch raises. Here that batch is
    normalised with the running statistics, as in evaluation, and leaves them as they are. It happens in the
    global-context branch and wherever a map shrinks to one pixel.
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if self.training and x_NCHW.numel() == self.num_features:
            return nn.functional.batch_norm(
                x_NCHW, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x_NCHW)


@NORMS.register("batch")
def _batch(channels: int) -> nn.Module:
    """Batch normalisation: what blocks build themselves, left as it is (Ioffe & Szegedy 2015)."""
    return BatchNorm2d(channels)


@NORMS.register("group")
class GroupNorm(nn.GroupNorm):
    """Normalise groups of channels of one image (Wu & He 2018, arXiv:1803.08494, section 3.1).

    x: (N, C, H, W) -> (N, C, H, W)

    Groups are given by their size, since widths differ much here, and 32 groups of few channels would leave
    a map of one pixel nothing: a group has the fewest channels that divide C and are not below
    `channels_per_group`, or all of them. One group of all is a layer norm over C, H, W.
    """

    def __init__(self, channels: int, *, channels_per_group: int = 16) -> None:
        if channels_per_group < 2:  # noqa: PLR2004 - one value has no variance
            raise ValueError(f"`channels_per_group` must be at least 2, but got ({channels_per_group=}).")
        _require_two(channels)
        sizes = (size for size in range(channels_per_group, channels + 1) if channels % size == 0)
        super().__init__(channels // next(sizes, channels), channels)


@NORMS.register("layer")
class LayerNorm(nn.LayerNorm):
    """Normalise the channels at each position (Liu et al. 2022, arXiv:2201.03545, section 2.6).

    x: (N, C, H, W) -> (N, C, H, W)

    As in ConvNeXt, not over C, H, W together: no position depends on the others.
    """

    def __init__(self, channels: int) -> None:
        _require_two(channels)
        super().__init__(channels)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return super().forward(x_NCHW.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@NORMS.register("none")
def _none(channels: int) -> nn.Module:  # noqa: ARG001 - as every norm is called
    """No normalisation: the ablation of it."""
    return nn.Identity()


def _require_two(channels: int) -> None:
    if channels < 2:  # noqa: PLR2004 - one value has no variance
        raise ValueError(f"must normalise over two channels or more, but got ({channels=}).")

# N batch, C channels, H height, W width, K classes
"""MSANet: a stem, stages of multi-scale blocks and attention, a head (the design article).

Blocks come in as callables, which the network calls with the sizes it has worked out.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from torch import Tensor, nn

from msanet_bench.model.attention.none import NoAttention
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import Shape

# builds a module; Any, since a stem also says its `min_image` and `min_map`
Block: TypeAlias = Callable[..., Any]
BranchWidth: TypeAlias = Literal["fixed", "shared"]


class MSANet(nn.Module):
    """An image classifier.

    x: (N, in_channels, H, W) -> (N, num_classes)

    Args:
        in_channels: Channels of the images.
        num_classes: K.
        stem: Called with (in_channels, channels).
        branches: By name; called with (in_channels, out_channels). None is a branch that is off.
        fusion: Called with (branch_channels, channels).
        attention: Called with (channels,).
        head: Called with (channels, hidden, num_classes).
        attention_stages: The stages, from 1, that have attention; numbers above the last stage are idle.
        branch_width: What becomes of the channels of a branch that is off, see `branch_widths`.
        width: Factor on the channels of stem, stages and head.
        depth: Blocks of each stage.
        same_size_stages: The stages, from 1, that keep the size of their map; the others halve it.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        stem: Block,
        branches: Mapping[str, Block | None],
        fusion: Block,
        attention: Block,
        head: Block,
        attention_stages: Sequence[int] = (1, 2, 3),
        branch_width: BranchWidth = "fixed",
        width: float = 1.0,
        depth: Sequence[int] = (2, 3, 3),
        same_size_stages: Sequence[int] = (),
    ) -> None:
        super().__init__()
        channels = [scale_channels(64 * 2**stage, width) for stage in range(len(depth) + 1)]
        self.stem = stem(in_channels, channels[0])
        self.stages = nn.Sequential()
        for stage, num_blocks in enumerate(depth, start=1):
            self.stages.append(
                Stage(
                    channels[stage - 1],
                    channels[stage],
                    num_blocks=num_blocks,
                    branches=branches,
                    fusion=fusion,
                    attention=attention if stage in attention_stages else NoAttention,
                    branch_width=branch_width,
                    stride=1 if stage in same_size_stages else 2,
                    min_map=self.stem.min_map,
                )
            )
        self.head = head(channels[-1], scale_channels(256, width), num_classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        height, width = x_NCHW.shape[2:]
        side = self.stem.min_image
        if height < side or width < side:
            raise ValueError(
                f"images must be at least {side} x {side} for the stem {type(self.stem).__name__}, "
                f"but got ({height=}, {width=})."
            )
        logits_NK: Tensor = self.head(self.stages(self.stem(x_NCHW)))
        return logits_NK


class Stage(nn.Module):
    """A smaller map with more channels, then `num_blocks` times a multi-scale block and attention.

    x: (N, in_channels, H, W) -> (N, channels, H / stride, W / stride), rounded up
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        num_blocks: int,
        branches: Mapping[str, Block | None],
        fusion: Block,
        attention: Block,
        branch_width: BranchWidth,
        stride: int,
        min_map: int,
    ) -> None:
        super().__init__()
        self.downsample = Downsample(in_channels, channels, stride=stride, min_map=min_map)
        self.blocks = nn.Sequential()
        for _ in range(num_blocks):
            multi_scale = MultiScaleBlock(
                channels, branches=branches, fusion=fusion, branch_width=branch_width
            )
            self.blocks.append(
                nn.Sequential(OrderedDict(multi_scale=multi_scale, attention=attention(channels)))
            )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        refined_NCHW: Tensor = self.blocks(self.downsample(x_NCHW))
        return refined_NCHW


class MultiScaleBlock(nn.Module):
    """Branches that see one input at several scales, fused; without a branch only the fusion remains.

    x: (N, C, H, W) -> (N, C, H, W)
    """

    def __init__(
        self,
        channels: int,
        *,
        branches: Mapping[str, Block | None],
        fusion: Block,
        branch_width: BranchWidth = "fixed",
    ) -> None:
        super().__init__()
        widths = branch_widths(channels, {name: b is not None for name, b in branches.items()}, branch_width)
        self.branches = nn.ModuleDict(
            {name: branch(channels, widths[name]) for name, branch in branches.items() if branch is not None}
        )
        self.fusion = fusion([widths[name] for name in self.branches] or [channels], channels)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        outputs_NcHW = [branch(x_NCHW) for branch in self.branches.values()]
        fused_NCHW: Tensor = self.fusion(outputs_NcHW or [x_NCHW])
        return fused_NCHW


class Downsample(nn.Module):
    """A smaller map, other channels: strided convolution, batch norm, ReLU.

    x: (N, in_channels, H, W) -> (N, channels, H / stride, W / stride), rounded up
    """

    def __init__(self, in_channels: int, channels: int, *, stride: int, min_map: int) -> None:
        super().__init__()
        self.conv = BoundedConv2d(in_channels, channels, stride=stride, min_map=min_map)
        self.norm = BatchNorm2d(channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        output_NCHW: Tensor = self.activation(self.norm(self.conv(x_NCHW)))
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        stride = self.conv.stride_on(height, width)
        positions = -(-height // stride) * -(-width // stride)
        return batch * positions * self.conv.out_channels * in_channels * 3 * 3


class BoundedConv2d(nn.Conv2d):
    """A 3 x 3 convolution that keeps the size where a side of the result would fall below `min_map`.

    x: (N, in_channels, H, W) -> (N, channels, H / stride, W / stride), rounded up, or (N, channels, H, W)
    """

    def __init__(self, in_channels: int, channels: int, *, stride: int, min_map: int) -> None:
        super().__init__(in_channels, channels, 3, stride=stride, padding=1)
        self.min_map = min_map

    def forward(self, x_NCHW: Tensor) -> Tensor:
        stride = self.stride_on(*x_NCHW.shape[2:])
        return nn.functional.conv2d(x_NCHW, self.weight, self.bias, stride, padding=1)

    def stride_on(self, height: int, width: int) -> int:
        """The stride on a map of this size."""
        stride = self.stride[0]
        return stride if -(-min(height, width) // stride) >= self.min_map else 1


def branch_widths(channels: int, is_on: Mapping[str, bool], branch_width: BranchWidth) -> dict[str, int]:
    """The channels of each branch; the first branches take what does not divide evenly.

    `fixed` splits the channels over all branches, and those of a branch that is off are left out; `shared`
    splits them over the branches that are on, so that every variant has as many.

    Raises:
        ValueError: there are more branches than channels.
    """
    sharing = [name for name, on in is_on.items() if on or branch_width == "fixed"]
    if len(sharing) > channels:
        raise ValueError(f"every branch needs a channel, but got (branches={len(sharing)}, {channels=}).")
    each, rest = divmod(channels, max(1, len(sharing)))
    return {name: each + (place < rest) for place, name in enumerate(sharing)}


def scale_channels(channels: int, width: float) -> int:
    """`channels` times `width`, rounded to a multiple of 8 (halves upwards), at least 8."""
    return max(8, 8 * int(channels * width / 8 + 0.5))

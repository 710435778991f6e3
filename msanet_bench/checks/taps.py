"""Kernel taps that can never touch the map: such variants differ in name only."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from msanet_bench.checks.shapes import ImageShape, build_variant
from msanet_bench.model.msanet import MultiScaleBlock
from msanet_bench.overlay import is_msanet
from msanet_bench.plan import Variant

# a stage, from 1, and the name of a branch
_Place: TypeAlias = tuple[int, str]


class _Meeting(NamedTuple):
    """A branch's outermost tap, in pixels from its centre, and the map that the branch sees."""

    reach: int
    height: int
    width: int


def taps_off_the_map(variant: Variant, shape: ImageShape) -> Iterator[str]:
    """A sentence for each branch and stage where the outermost taps only ever meet padding."""
    for (stage, branch), (reach, height, width) in _meetings(variant, shape).items():
        if reach >= max(height, width):
            yield (
                f"branch `{branch}` reaches {reach} pixels, and the map of stage {stage} is "
                f"{height}x{width}: its outer taps only ever see padding there."
            )


def _meetings(variant: Variant, shape: ImageShape) -> Mapping[_Place, _Meeting]:
    met: dict[_Place, _Meeting] = {}
    if not is_msanet(variant.settings.model):
        return met
    with torch.device("meta"):
        model = build_variant(variant, shape).eval()
        for place, branch in _branches(model.get_submodule("stages")):
            reach = getattr(branch, "reach", None)
            if isinstance(reach, int):
                branch.register_forward_pre_hook(_recorder(met, place, reach))
        model(torch.empty(1, *shape.image))
    return met


def _branches(stages: nn.Module) -> Iterator[tuple[_Place, nn.Module]]:
    """The branches themselves: what they and other blocks are made of may have a `reach` of another kind."""
    for stage, part in enumerate(stages.children(), start=1):
        for block in part.modules():
            if isinstance(block, MultiScaleBlock):
                yield from (((stage, name), branch) for name, branch in block.branches.items())


def _recorder(
    met: dict[_Place, _Meeting], place: _Place, reach: int
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def record(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        height, width = inputs[0].shape[2:]
        # blocks of one stage see one map: the first block speaks for all
        met.setdefault(place, _Meeting(reach, height, width))

    return record

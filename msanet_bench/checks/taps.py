"""Kernel taps that can never touch the map: such variants differ in name only."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from msanet_bench.checks.shapes import ImageShape, build_variant
from msanet_bench.plan import Variant


class _Meeting(NamedTuple):
    """A branch's outermost tap, in pixels from its centre, and the map that the branch sees."""

    reach: int
    height: int
    width: int


def taps_off_the_map(variant: Variant, shape: ImageShape) -> Iterator[str]:
    """A sentence for each branch and stage where the outermost taps only ever meet padding."""
    for name, (reach, height, width) in _meetings(variant, shape).items():
        if reach < max(height, width):
            continue
        _, stage, _, _, _, _, branch = name.split(".")
        yield (
            f"branch `{branch}` reaches {reach} pixels, and the map of stage {int(stage) + 1} is "
            f"{height}x{width}: its outer taps only ever see padding there."
        )


def _meetings(variant: Variant, shape: ImageShape) -> dict[str, _Meeting]:
    met: dict[str, _Meeting] = {}
    with torch.device("meta"):
        model = build_variant(variant, shape).eval()
        for name, module in model.named_modules():
            reach = getattr(module, "reach", None)
            if isinstance(reach, int):
                module.register_forward_pre_hook(_recorder(met, name, reach))
        model(torch.empty(1, *shape.image))
    return met


def _recorder(
    met: dict[str, _Meeting], name: str, reach: int
) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def record(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        height, width = inputs[0].shape[2:]
        # blocks of one stage see one map: the first block speaks for all
        first = name.replace(f".blocks.{name.split('.')[3]}.", ".blocks.0.")
        met.setdefault(first, _Meeting(reach, height, width))

    return record

"""Whether networks of other families take the images of the data."""

from contextlib import suppress

import torch
from torch import nn

from msanet_bench.checks.shapes import ImageShape, build_variant
from msanet_bench.errors import BenchError, first_line
from msanet_bench.overlay import is_msanet
from msanet_bench.plan import Variant

_LARGEST = 256
# what a network that is anybody's raises for a map that has become too small
_REFUSALS = (RuntimeError, ValueError, AssertionError, IndexError, TypeError, ZeroDivisionError)


def refuse_images(variant: Variant, shape: ImageShape) -> None:
    """Run a network of another family on nothing but shapes.

    Raises:
        BenchError: it cannot be built, does not take images of this size, or gives no logits.
    """
    if is_msanet(variant.settings.model):
        return
    try:
        logits = _logits(variant, shape)
    except (BenchError, *_REFUSALS) as error:
        law = str(error) if isinstance(error, BenchError) else _law(variant, shape, first_line(error))
        raise BenchError(law + _way_out(_smallest(variant, shape))) from error
    wanted = (2, shape.classes)
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != wanted:
        got = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        law = f"must give logits of shape {wanted} for two images, but gave {got}"
        raise BenchError(f"variant `{variant.name}`: model: `{_name(variant)}` {law}.")


def _law(variant: Variant, shape: ImageShape, reason: str) -> str:
    images = f"{shape.channels} x {shape.height} x {shape.width}"
    return f"variant `{variant.name}`: model: `{_name(variant)}` does not take images of {images} ({reason})."


def _way_out(side: int | None) -> str:
    if side is None:
        return ""
    return f" The smallest larger size that it takes is {side} x {side}: set `data.resize: {side}`."


def _smallest(variant: Variant, shape: ImageShape) -> int | None:
    """The side of the smallest larger square that the network takes, up to 256."""
    for side in range(min(shape.height, shape.width) + 1, _LARGEST + 1):
        with suppress(BenchError, *_REFUSALS):
            _logits(variant, shape._replace(height=side, width=side))
            return side
    return None


def _logits(variant: Variant, shape: ImageShape) -> object:
    with torch.device("meta"), torch.no_grad():
        model: nn.Module = build_variant(variant, shape).eval()
        output: object = model(torch.empty(2, *shape.image))
    return output


def _name(variant: Variant) -> str:
    return variant.settings.model.model.block

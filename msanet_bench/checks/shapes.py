"""What the network sees of a data set, and the network that is built for it."""

from typing import NamedTuple, TypedDict

from torch import nn

from msanet_bench.data import Dataset
from msanet_bench.errors import BenchError, BlockError
from msanet_bench.model.build import build, start
from msanet_bench.plan import Variant
from msanet_bench.spec import DataSpec


class ImageShape(NamedTuple):
    """One image, and how many classes there are."""

    channels: int
    height: int
    width: int
    classes: int

    @property
    def image(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width


class _Sizes(TypedDict):
    """What a network is built for."""

    num_classes: int
    in_channels: int
    size: tuple[int, int]


def image_shape(dataset: Dataset) -> ImageShape:
    """An image as it was found."""
    _, channels, height, width = dataset.train_images.shape
    return ImageShape(channels, height, width, len(dataset.classes))


def resized(shape: ImageShape, data: DataSpec) -> ImageShape:
    """An image as the network sees it."""
    return shape if data.resize is None else shape._replace(height=data.resize, width=data.resize)


def build_variant(variant: Variant, shape: ImageShape) -> nn.Module:
    """The variant's network.

    Raises:
        BenchError: a block refuses its options or sizes; names the variant and the slot.
    """
    try:
        return build(variant.settings.model, **_sizes(shape))
    except BlockError as error:
        raise BenchError(f"variant `{variant.name}`: {error}") from error


def start_variant(variant: Variant, shape: ImageShape, seed: int) -> nn.Module:
    """The variant's network at the start that a seed gives; raises as `build_variant` does."""
    try:
        return start(variant.settings.model, seed, **_sizes(shape))
    except BlockError as error:
        raise BenchError(f"variant `{variant.name}`: {error}") from error


def _sizes(shape: ImageShape) -> _Sizes:
    return {
        "num_classes": shape.classes,
        "in_channels": shape.channels,
        "size": (shape.height, shape.width),
    }

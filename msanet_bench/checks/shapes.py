"""What the network sees of a data set, and the network that is built for it."""

from typing import NamedTuple

from msanet_bench.data import Dataset
from msanet_bench.errors import BenchError, BlockError
from msanet_bench.model.build import build
from msanet_bench.model.msanet import MSANet
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


def image_shape(dataset: Dataset) -> ImageShape:
    """An image as it was found."""
    _, channels, height, width = dataset.train_images.shape
    return ImageShape(channels, height, width, len(dataset.classes))


def resized(shape: ImageShape, data: DataSpec) -> ImageShape:
    """An image as the network sees it."""
    return shape if data.resize is None else shape._replace(height=data.resize, width=data.resize)


def build_variant(variant: Variant, shape: ImageShape) -> MSANet:
    """The variant's network.

    Raises:
        BenchError: a block refuses its options or sizes; names the variant and the slot.
    """
    try:
        return build(variant.settings.model, num_classes=shape.classes, in_channels=shape.channels)
    except BlockError as error:
        raise BenchError(f"variant `{variant.name}`: {error}") from error

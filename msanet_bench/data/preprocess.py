"""From stored pixels to what the network sees: resized, scaled to 0..1, normalised.

Shapes: N images, C channels, H height, W width.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from msanet_bench.data.dataset import Images, Rows
from msanet_bench.data.reader import stored_batches
from msanet_bench.spec import DataSpec

# 2^24 numbers are 64 MiB as float32: what resizing a chunk needs at a time, whatever the image size
_CHUNK_NUMBERS = 2**24

# a channel that varies by less than this is flat; one pixel of 4 million, one grey level off, is above
_FLAT = 1e-6


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What is done to every image, as plain values; `mean` and `deviation` a channel, on the scale 0..1.

    Attributes:
        size: Side of the square that images are resized to; None keeps their size.
    """

    size: int | None
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def shape(self, images: Images) -> tuple[int, int, int]:
        """Channels, height and width after preprocessing."""
        _, channels, height, width = images.shape
        return (channels, height, width) if self.size is None else (channels, self.size, self.size)


def fit_preprocessing(images: Images, rows: Rows, spec: DataSpec, device: torch.device) -> Preprocessing:
    """The preprocessing that a spec asks for, its statistics taken from these rows alone.

    Means and (population) deviations are those of the resized images, summed in float64; a flat channel
    is only centred.
    """
    channels = images.shape[1]
    plain = Preprocessing(spec.resize, (0.0,) * channels, (1.0,) * channels)
    if not spec.normalise:
        return plain
    sums = torch.zeros((2, channels), dtype=torch.float64)
    count = 0
    for chunk_NCHW in prepared_chunks(images, rows, plain, device):
        pixels_NCHW = chunk_NCHW.double()
        sums += torch.stack([pixels_NCHW.sum((0, 2, 3)), pixels_NCHW.square().sum((0, 2, 3))]).cpu()
        count += pixels_NCHW[:, 0].numel()
    mean, square = sums / count
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    deviation[deviation < _FLAT] = 1.0
    return replace(plain, mean=tuple(mean.tolist()), deviation=tuple(deviation.tolist()))


def prepare(images_NCHW: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Float images from uint8 ones, on their device: bilinear with antialiasing, then normalised.

    Each image by itself: the same bits alone and in a batch.
    """
    # float before resizing: torch's uint8 kernels round, and differ between processors
    scaled_NCHW = images_NCHW.float() / 255
    if preprocessing.size is not None:
        side = [preprocessing.size, preprocessing.size]
        scaled_NCHW = functional.resize(scaled_NCHW, side, antialias=True)
    mean, deviation = list(preprocessing.mean), list(preprocessing.deviation)
    prepared_NCHW: Tensor = functional.normalize(scaled_NCHW, mean, deviation, inplace=True)
    return prepared_NCHW


def prepared_chunks(
    images: Images, rows: Rows, preprocessing: Preprocessing, device: torch.device
) -> Iterator[Tensor]:
    """The prepared images of these rows, in order, as many at a time as memory allows."""
    numbers = max(int(np.prod(images.shape[1:])), int(np.prod(preprocessing.shape(images))))
    step = max(1, _CHUNK_NUMBERS // numbers)
    chunks = [rows[start : start + step] for start in range(0, len(rows), step)]
    for chunk in stored_batches(images, chunks):
        yield prepare(chunk.to(device), preprocessing)

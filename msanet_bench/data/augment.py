"""Random changes of a prepared batch, on its device, driven by the augmentation stream alone.

Random numbers are drawn where the generator lives: one on the CPU changes images alike on every device.
Shapes: N images, C channels, H height, W width.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Generator, Tensor
from torchvision.transforms.v2 import functional

from msanet_bench.spec import Augmentation


def augment_batch(images_NCHW: Tensor, names: Sequence[Augmentation], generator: Generator) -> Tensor:
    """The batch with each named change made in turn."""
    for name in names:
        images_NCHW = _CHANGES[name](images_NCHW, generator)
    return images_NCHW


def flip(images_NCHW: Tensor, generator: Generator) -> Tensor:
    """Every second image, by chance, mirrored left to right."""
    chosen_N = _uniform(images_NCHW, generator) < 0.5  # noqa: PLR2004 - a fair coin
    mirrored_NCHW: Tensor = functional.horizontal_flip(images_NCHW)
    return torch.where(chosen_N[:, None, None, None], mirrored_NCHW, images_NCHW)


def shift(images_NCHW: Tensor, generator: Generator) -> Tensor:
    """Every image moved by up to an eighth of its sides (rounded up); what comes in is zero."""
    count, _, height, width = images_NCHW.shape
    down, across = -(-height // 8), -(-width // 8)
    padded_NCHW: Tensor = functional.pad(images_NCHW, [across, down])
    top_N = _below(2 * down + 1, images_NCHW, generator)
    left_N = _below(2 * across + 1, images_NCHW, generator)
    rows_NH = top_N[:, None] + torch.arange(height, device=images_NCHW.device)
    columns_NW = left_N[:, None] + torch.arange(width, device=images_NCHW.device)
    image_N = torch.arange(count, device=images_NCHW.device)
    cropped_NHWC = padded_NCHW[image_N[:, None, None], :, rows_NH[:, :, None], columns_NW[:, None, :]]
    return cropped_NHWC.permute(0, 3, 1, 2).contiguous()


def erase(images_NCHW: Tensor, generator: Generator) -> Tensor:
    """Every second image, by chance, with a rectangle of zeros: the mean, where images are normalised.

    As random erasing (Zhong et al. 2017, arXiv:1708.04896), but each side is uniform up to half of the
    image's instead of area and aspect, so that every draw fits.
    """
    _, _, height, width = images_NCHW.shape
    chosen_N = _uniform(images_NCHW, generator) < 0.5  # noqa: PLR2004 - a fair coin
    rows_NH = _interval(height, images_NCHW, generator)
    columns_NW = _interval(width, images_NCHW, generator)
    erased_NHW = chosen_N[:, None, None] & rows_NH[:, :, None] & columns_NW[:, None, :]
    return images_NCHW.masked_fill(erased_NHW[:, None], 0.0)


_CHANGES: Mapping[Augmentation, Callable[[Tensor, Generator], Tensor]] = {
    "flip": flip,
    "shift": shift,
    "erase": erase,
}


def _interval(length: int, images_NCHW: Tensor, generator: Generator) -> Tensor:
    """For each image a mask (N, length) of 1 to length/2 neighbours, anywhere."""
    extent_N = 1 + _below(length // 2, images_NCHW, generator)
    start_N = _below(length - extent_N + 1, images_NCHW, generator)
    place = torch.arange(length, device=images_NCHW.device)
    return (place >= start_N[:, None]) & (place < (start_N + extent_N)[:, None])


def _below(limit: int | Tensor, images_NCHW: Tensor, generator: Generator) -> Tensor:
    """A whole number below the limit for each image, each as likely."""
    return (_uniform(images_NCHW, generator) * limit).long()


def _uniform(images_NCHW: Tensor, generator: Generator) -> Tensor:
    """A number in [0, 1) for each image; in float64, where times a small limit it stays below the limit."""
    count, place = len(images_NCHW), generator.device
    return torch.rand(count, generator=generator, dtype=torch.float64, device=place).to(images_NCHW.device)

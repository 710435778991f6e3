"""One image file as pixels, fitted to a size; why it cannot be, in a few words.

Of what a file may hold, this is what becomes of it: grey, palettes, CMYK and others of 8 bits a channel are
converted to colour by Pillow, and transparency is dropped; 16-bit and float images are refused, as Pillow
would clip them; an orientation that EXIF tells is not applied (torchvision's ImageFolder does the same); of
an animation the first frame is taken.
"""

import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from msanet_bench.data.dataset import Images
from msanet_bench.errors import DataError

# what Pillow raises for a file that is no image, ends early or is broken inside
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)

# Pillow's, by the number of channels
_MODES = {1: "L", 3: "RGB"}


def read_image(path: Path, shape: tuple[int, int, int]) -> Images:
    """One image file as (C, H, W), in grey for one channel and in colour for three, fitted as in a cache.

    Raises:
        DataError: the file cannot be decoded, or the shape has other channels.
    """
    if shape[0] not in _MODES:
        raise DataError(f"{path}: an image file has 1 or 3 channels, but {shape[0]} are needed.")
    try:
        return _fitted(path, *shape[1:], mode=_MODES[shape[0]])
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be decoded ({reason(path, error)}).") from error


def decode(path: Path, size: int) -> Images:
    """One image as (3, size, size): the shorter side resized, the centre cropped; stored orientation."""
    return _fitted(path, size, size, mode="RGB")


def reason(path: Path, error: BaseException) -> str:
    """Why a file could not be decoded, without its path."""
    if isinstance(error, UnidentifiedImageError):
        return "no known image format" if path.stat().st_size else "empty file"
    return str(getattr(error, "strerror", None) or error)


def _fitted(path: Path, height: int, width: int, *, mode: str) -> Images:
    with Image.open(path) as image:
        # Pillow would clip these to white without a word
        if image.mode[0] in "IF":
            raise ValueError(f"must have 8 bits a channel, but got mode {image.mode}")
        # the same colours, without Pillow's warning that transparency is lost
        is_clear_palette = image.mode == "P" and "transparency" in image.info
        plain = (image.convert("RGBA") if is_clear_palette else image).convert(mode)
    fitted = np.asarray(
        ImageOps.fit(plain, (width, height), method=Image.Resampling.BILINEAR), dtype=np.uint8
    )
    return fitted.reshape(height, width, -1).transpose(2, 0, 1)

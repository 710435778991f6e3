"""Decoded images on disk: built beside their place, then renamed, so that a cache is whole or absent."""

import os
import struct
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from msanet_bench.data.dataset import Images, Labels, Part, digest_of
from msanet_bench.data.listing import PART_NAMES, Entry, Listing
from msanet_bench.errors import DataError

# what Pillow raises for a file that is no image, ends early or is broken inside
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)

# one task of the decoding threads
_TASK_IMAGES = 64

_SHOWN = 20

# Pillow's, by the number of channels
_MODES = {1: "L", 3: "RGB"}


def build_cache(place: Path, listing: Listing, size: int) -> None:
    """Decode every image of the listing into `place`: `train.npy`, `val.npy`, `test.npy` and `digest`.

    Safe with several builders at once: each builds its own, the first to finish gives its name.

    Raises:
        DataError: images that cannot be decoded (all of them are named), or no room on the disk.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.") as workshop:
            built = Path(workshop) / "built"
            built.mkdir()
            _fill(built, listing, size)
            _move(built, place)
    except OSError as error:
        raise DataError(f"{place}: the image cache cannot be written ({error.strerror}).") from error


def read_image(path: Path, shape: tuple[int, int, int]) -> Images:
    """One image file as (C, H, W), in grey for one channel and in colour for three, fitted as in a cache.

    Raises:
        DataError: the file cannot be decoded, or the shape has other channels.
    """
    if shape[0] not in _MODES:
        raise DataError(f"{path}: an image file has 1 or 3 channels, but {shape[0]} are needed.")
    try:
        return _fitted(path, *shape[1:], mode=_MODES[shape[0]])
    except _UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DataError(f"{path}: cannot be decoded ({reason}).") from error


def decode(path: Path, size: int) -> Images:
    """One image as (3, size, size): the shorter side resized, the centre cropped; stored orientation."""
    return _fitted(path, size, size, mode="RGB")


def _fitted(path: Path, height: int, width: int, *, mode: str) -> Images:
    with Image.open(path) as image:
        # Pillow would clip these to white without a word
        if image.mode[0] in "IF":
            raise ValueError(f"must have 8 bits a channel, but got mode {image.mode}")
        plain = image.convert(mode)
    fitted = np.asarray(
        ImageOps.fit(plain, (width, height), method=Image.Resampling.BILINEAR), dtype=np.uint8
    )
    return fitted.reshape(height, width, -1).transpose(2, 0, 1)


def _fill(built: Path, listing: Listing, size: int) -> None:
    numbers = {name: number for number, name in enumerate(listing.classes)}
    broken: list[str] = []
    parts = []
    for name in PART_NAMES:
        entries = listing.part(name)
        if entries:
            images = _reserve(built / f"{name}.npy", (len(entries), 3, size, size))
            broken += _decode_all(listing.folder, entries, images)
            labels: Labels = np.array([numbers[entry.label] for entry in entries], dtype=np.int64)
            parts.append(Part(images, labels))
    if broken:
        more = [f"and {len(broken) - _SHOWN} more"] if len(broken) > _SHOWN else []
        raise DataError(
            f"{listing.folder}: {len(broken)} of {len(listing.entries)} images cannot be decoded. "
            "Mend or remove:\n" + "\n".join(broken[:_SHOWN] + more)
        )
    (built / "digest").write_text(digest_of(parts, listing.classes), encoding="ascii")


def _reserve(file: Path, shape: tuple[int, ...]) -> Images:
    """A new mapped array whose bytes are allotted at once: a full disk is an error here, a crash later."""
    images = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    with file.open("r+b") as opened:
        os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
    return images


def _decode_all(folder: Path, entries: Sequence[Entry], images: Images) -> list[str]:
    """Decode in threads, each into its own rows; what could not be decoded, with the reason."""

    def decode_rows(start: int) -> list[str]:
        broken = []
        for row in range(start, min(start + _TASK_IMAGES, len(entries))):
            try:
                images[row] = decode(folder / entries[row].name, images.shape[-1])
            except _UNREADABLE as error:
                broken.append(f"{entries[row].name} ({error})")
        return broken

    with ThreadPoolExecutor() as threads:
        tasks = threads.map(decode_rows, range(0, len(entries), _TASK_IMAGES))
        return [line for broken in tasks for line in broken]


def _move(built: Path, place: Path) -> None:
    try:
        built.rename(place)
    except OSError:
        # another process was first; any other reason has left no folder there
        if not place.is_dir():
            raise

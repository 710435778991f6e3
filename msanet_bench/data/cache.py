"""Decoded images on disk: built beside their place, then renamed, so that a cache is whole or absent."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from msanet_bench.data.dataset import Images, Labels, Part, Rows, digest_of
from msanet_bench.data.decode import UNREADABLE, decode, reason
from msanet_bench.data.listing import PART_NAMES, Entry, Listing
from msanet_bench.errors import DataError

CORRUPT_FILE = "corrupt.json"

# one task of the decoding threads
_TASK_IMAGES = 64


class Corrupt(NamedTuple):
    """An image file that cannot be decoded, by its name in the listing, and why."""

    name: str
    reason: str


def build_cache(place: Path, listing: Listing, size: int) -> None:
    """Decode every image of the listing into `place`: `train.npy`, `val.npy`, `test.npy` and `digest`.

    Images that cannot be decoded have no row, and `corrupt.json` names them: what to make of them is decided
    by who reads the cache, so that no decision costs another decoding. One builder at a time works below a
    data folder; what one that was killed has left behind goes when the next one begins.

    Raises:
        DataError: the folder cannot be written, or has no room.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(place.parent):
            if place.is_dir():
                return
            with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.") as workshop:
                built = Path(workshop) / "built"
                built.mkdir()
                _fill(built, listing, size)
                _move(built, place)
    except OSError as error:
        raise DataError(f"{place}: the image cache cannot be written ({error.strerror}).") from error


def corrupt_images(place: Path) -> tuple[Corrupt, ...]:
    """The images that a cache has not, in the order of its listing; caches of earlier versions have all."""
    file = place / CORRUPT_FILE
    if not file.exists():
        return ()
    return tuple(Corrupt(*each) for each in json.loads(file.read_text(encoding="ascii")))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait for other builders, and remove what those that were killed have left.

    Some file systems lock no folders: there builders may meet, each makes its own, and nothing is removed.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_EX)
            for left in folder.glob(f"{'?' * 16}.*"):
                shutil.rmtree(left)
        yield
    finally:
        os.close(opened)


def _fill(built: Path, listing: Listing, size: int) -> None:
    numbers = {name: number for number, name in enumerate(listing.classes)}
    corrupt: list[Corrupt] = []
    parts = []
    for name in PART_NAMES:
        entries = listing.part(name)
        if not entries:
            continue
        file = built / f"{name}.npy"
        images = _reserve(file, (len(entries), 3, size, size))
        broken = _decode_all(listing.folder, entries, images)
        corrupt += broken.values()
        kept = np.array([row for row in range(len(entries)) if row not in broken], dtype=np.int64)
        if broken:
            _keep(file, images, kept)
        if len(kept):
            labels: Labels = np.array([numbers[entries[row].label] for row in kept], dtype=np.int64)
            parts.append(Part(images[: len(kept)], labels))
    if corrupt:
        (built / CORRUPT_FILE).write_text(json.dumps(corrupt), encoding="ascii")
    (built / "digest").write_text(digest_of(parts, listing.classes), encoding="ascii")


def _reserve(file: Path, shape: tuple[int, ...]) -> np.memmap:
    """A new mapped array whose bytes are allotted at once: a full disk is an error here, a crash later."""
    images = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    with file.open("r+b") as opened:
        os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
    return images


def _decode_all(folder: Path, entries: Sequence[Entry], images: Images) -> dict[int, Corrupt]:
    """Decode in threads, each into its own rows; what could not be decoded, by its row."""

    def decode_rows(start: int) -> dict[int, Corrupt]:
        broken = {}
        for row in range(start, min(start + _TASK_IMAGES, len(entries))):
            path = folder / entries[row].name
            try:
                images[row] = decode(path, images.shape[-1])
            except UNREADABLE as error:
                broken[row] = Corrupt(entries[row].name, reason(path, error))
        return broken

    with ThreadPoolExecutor() as threads:
        tasks = threads.map(decode_rows, range(0, len(entries), _TASK_IMAGES))
        return {row: corrupt for broken in tasks for row, corrupt in broken.items()}


def _keep(file: Path, images: np.memmap, kept: Rows) -> None:
    """Make these rows the only ones of a mapped `.npy` file, in place: a second file may have no room."""
    for start in range(0, len(kept), _TASK_IMAGES):
        rows = kept[start : start + _TASK_IMAGES]
        # taken as a copy before it is written: a row moves to its own place or to one before it
        images[start : start + len(rows)] = images[rows]
    shape = (len(kept), *images.shape[1:])
    with file.open("r+b") as opened:
        # numpy keeps room in the header for a first axis of any length
        np.lib.format.write_array_header_1_0(opened, {"descr": "|u1", "fortran_order": False, "shape": shape})
        opened.truncate(images.offset + int(np.prod(shape)))


def _move(built: Path, place: Path) -> None:
    try:
        built.rename(place)
    except OSError:
        # another process was first; any other reason has left no folder there
        if not place.is_dir():
            raise

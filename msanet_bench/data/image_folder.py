"""Anybody's image files, decoded once into a memory-mapped cache that all workers share."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from msanet_bench.data.cache import CORRUPT_FILE, Corrupt, build_cache, corrupt_images
from msanet_bench.data.dataset import Dataset, Part
from msanet_bench.data.listing import (
    SHOWN,
    Entry,
    Listing,
    PartName,
    list_table,
    list_tree,
    printable,
    shown,
    without,
)
from msanet_bench.data.registry import DATASETS
from msanet_bench.errors import DataError
from msanet_bench.registry import LATER
from msanet_bench.spec import DataSpec

Size = Annotated[int, Field(ge=4, le=4096)]

# raised when the same files decode to other pixels: old caches are then left alone
_DECODER = 1


@DATASETS.register("image_folder")
def image_folder(
    root: Path,
    *,
    folder: str = "",
    table: str = "",
    size: Size = 224,
    corrupt: Annotated[Literal["refuse", "skip"], LATER] = "refuse",
) -> Dataset:
    """Colour images (3, size, size): the shorter side resized, the centre cropped.

    Either `folder`, below `root`, holds {train,val,test}/<class>/<image>, or `table`, a CSV below `root`,
    has the columns path (relative to it), label and split. Without a val part a seed splits its own.
    Images that cannot be decoded are an error; `corrupt: skip` leaves them out, and a note names them.
    """
    listing = _list(root, folder, table)
    cache = _cache_folder(root, listing, size)
    if not cache.is_dir():
        build_cache(cache, listing, size)
    left_out = corrupt_images(cache)
    if left_out and corrupt == "refuse":
        raise DataError(_refused(listing, left_out, cache))
    notes = [_left_out(listing, left_out)] if left_out else []
    if left_out:
        listing = without(listing, (image.name for image in left_out))
    labels = {name: number for number, name in enumerate(listing.classes)}

    def part(name: PartName) -> Part:
        numbers = [labels[entry.label] for entry in listing.part(name)]
        return Part(np.load(cache / f"{name}.npy", mmap_mode="r"), np.array(numbers, dtype=np.int64))

    validation = part("val") if listing.part("val") else None
    return Dataset(
        *part("train"),
        *part("test"),
        classes=listing.classes,
        digest=(cache / "digest").read_text(encoding="ascii"),
        validation_images=None if validation is None else validation.images,
        validation_labels=None if validation is None else validation.labels,
        notes=(*notes, *_absent(listing)),
    )


def cache_bytes(spec: DataSpec, root: Path) -> int:
    """How many bytes loading would write: 0 for a data set without a cache, or once the cache is there."""
    if spec.dataset != "image_folder":
        return 0
    options = DATASETS.resolve(spec.dataset, spec.options)
    listing = _list(root, options["folder"], options["table"])
    size: int = options["size"]
    return 0 if _cache_folder(root, listing, size).is_dir() else len(listing.entries) * 3 * size * size


def _list(root: Path, folder: str, table: str) -> Listing:
    if bool(folder) == bool(table):
        raise DataError(
            f"image_folder: needs either `folder` or `table`, but got ({folder=}, {table=}). "
            "Set one under data.options."
        )
    if Path(folder or table).is_absolute():
        raise DataError(
            f"image_folder: the path must be relative to the data folder, but got {folder or table}. "
            "Results do not depend on where a machine keeps its data: give that place with --data-root."
        )
    return list_tree(root / folder) if folder else list_table(root / table)


def _refused(listing: Listing, corrupt: Sequence[Corrupt], cache: Path) -> str:
    more = [f"and {len(corrupt) - SHOWN} more"] if len(corrupt) > SHOWN else []
    lines = [f"{printable(name)} ({reason})" for name, reason in corrupt[:SHOWN]]
    return (
        f"{listing.folder}: {len(corrupt)} of {len(listing.entries)} images cannot be decoded. Mend or "
        "remove them, or leave them out (data.options.corrupt: skip), for which nothing is decoded again. "
        f"All are named in {cache / CORRUPT_FILE}:\n" + "\n".join([*lines, *more])
    )


def _left_out(listing: Listing, corrupt: Sequence[Corrupt]) -> str:
    gone = {image.name for image in corrupt}
    numbers = Counter(entry.part for entry in listing.entries if entry.name in gone)
    counted = ", ".join(f"{number} of {part}" for part, number in sorted(numbers.items()))
    return (
        f"image_folder: {len(corrupt)} of {len(listing.entries)} images cannot be decoded and are left out "
        f"({counted}): {shown([image.name for image in corrupt])}."
    )


def _absent(listing: Listing) -> Iterator[str]:
    """What a reader should know of classes that are learnt and never asked for."""
    for part in ("val", "test"):
        present = {entry.label for entry in listing.entries if entry.part == part}
        absent = [label for label in listing.classes if label not in present]
        if present and absent:
            yield f"image_folder: the {part} part has no image of {shown(absent)}: nothing is said of them."


def _cache_folder(root: Path, listing: Listing, size: int) -> Path:
    """Named by what the pixels depend on; a file counts as changed when its size or time changes."""
    # the JSON of [_DECODER, size, stamps], a stamp at a time: whole, it would take more memory than all else
    sha = hashlib.sha256(f"[{_DECODER}, {size}, [".encode())
    for number, entry in enumerate(listing.entries):
        stamp = json.dumps([*entry, *_stamp(listing, entry)])
        sha.update(f"{', ' if number else ''}{stamp}".encode())
    sha.update(b"]]")
    return root / ".msanet_cache" / sha.hexdigest()[:16]


def _stamp(listing: Listing, entry: Entry) -> tuple[int, int]:
    path = listing.folder / entry.name
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        # ValueError: a table may name a path with a null character
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', error)}).") from error
    if not S_ISREG(status.st_mode):
        raise DataError(f"{path}: must be a file with an image, but is something else. Remove it.")
    return status.st_size, status.st_mtime_ns

"""Anybody's image files, decoded once into a memory-mapped cache that all workers share."""

import hashlib
import json
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from msanet_bench.data.cache import build_cache
from msanet_bench.data.dataset import Dataset, Part
from msanet_bench.data.listing import Entry, Listing, PartName, list_table, list_tree
from msanet_bench.data.registry import DATASETS
from msanet_bench.errors import DataError
from msanet_bench.spec import DataSpec

Size = Annotated[int, Field(ge=4, le=4096)]

# raised when the same files decode to other pixels: old caches are then left alone
_DECODER = 1


@DATASETS.register("image_folder")
def image_folder(root: Path, *, folder: str = "", table: str = "", size: Size = 224) -> Dataset:
    """Colour images (3, size, size): the shorter side resized, the centre cropped.

    Either `folder`, below `root`, holds {train,val,test}/<class>/<image>, or `table`, a CSV below `root`,
    has the columns path (relative to it), label and split. Without a val part a seed splits its own.
    """
    listing = _list(root, folder, table)
    cache = _cache_folder(root, listing, size)
    if not cache.is_dir():
        build_cache(cache, listing, size)
    labels = {name: number for number, name in enumerate(listing.classes)}

    def part(name: PartName) -> Part:
        numbers = [labels[entry.label] for entry in listing.part(name)]
        return Part(np.load(cache / f"{name}.npy", mmap_mode="r"), np.array(numbers, dtype=np.int64))

    digest = (cache / "digest").read_text(encoding="ascii")
    validation = part("val") if listing.part("val") else ()
    return Dataset(*part("train"), *part("test"), listing.classes, digest, *validation)


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


def _cache_folder(root: Path, listing: Listing, size: int) -> Path:
    """Named by what the pixels depend on; a file counts as changed when its size or time changes."""
    stamps = [[*entry, *_stamp(listing, entry)] for entry in listing.entries]
    name = hashlib.sha256(json.dumps([_DECODER, size, stamps]).encode()).hexdigest()[:16]
    return root / ".msanet_cache" / name


def _stamp(listing: Listing, entry: Entry) -> tuple[int, int]:
    path = listing.folder / entry.name
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    return status.st_size, status.st_mtime_ns

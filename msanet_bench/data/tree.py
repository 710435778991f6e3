"""The files below a folder. Links are followed: data sets often are links, and no linked class may vanish."""

import os
from collections.abc import Iterator
from pathlib import Path

from msanet_bench.errors import DataError


def folders_in(folder: Path) -> list[str]:
    """The names of the folders right inside a folder, sorted, without hidden ones.

    Raises:
        DataError: it cannot be read.
    """
    return sorted(entry.name for entry in _entries(folder) if _is_folder(entry))


def files_below(folder: Path, inside: str, above: tuple[tuple[int, int], ...] = ()) -> Iterator[str]:
    """Every file below `folder/inside` but hidden ones, as a path relative to `folder`; in no order.

    Raises:
        DataError: a folder cannot be read, or a link leads back to a folder that it lies in.
    """
    place = folder / inside
    status = place.stat()
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        raise DataError(f"{place}: this link leads back to a folder that it lies in. Remove it.")
    for entry in _entries(place):
        name = f"{inside}/{entry.name}"
        if _is_folder(entry):
            yield from files_below(folder, name, (*above, identity))
        else:
            yield name


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}).") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # a link to itself is an OSError for `entry.is_dir()`, and no folder for `os.path`
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112 (1 us, not 5)

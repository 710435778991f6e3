"""Which image files belong to a data set, with class and part: from a folder tree or a table."""

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

from msanet_bench.data.tree import files_below, folders_in
from msanet_bench.errors import DataError

# in the order in which a digest takes them
PartName: TypeAlias = Literal["train", "test", "val"]
PART_NAMES: tuple[PartName, ...] = get_args(PartName)

_LAYOUT = "{train,val,test}/<class>/<image>"

SHOWN = 20


class Entry(NamedTuple):
    """One image file: its part, its class and its name, relative to the listing's folder."""

    part: str
    label: str
    name: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a data set in a fixed order, whatever the file system's.

    Attributes:
        folder: What the entries' names are relative to.
        classes: The labels of the training part, sorted.
    """

    folder: Path
    entries: tuple[Entry, ...]
    classes: tuple[str, ...]

    def part(self, name: PartName) -> list[Entry]:
        return [entry for entry in self.entries if entry.part == name]


def list_tree(folder: Path) -> Listing:
    """The files of `folder/{train,val,test}/<class>/...`; hidden files are left out.

    Raises:
        DataError: no such layout.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. It must hold {_LAYOUT}.")
    inside = folders_in(folder)
    strangers = sorted(set(inside) - set(PART_NAMES))
    if strangers:
        raise DataError(f"{folder}: must hold {_LAYOUT} and no other folder, but got {', '.join(strangers)}.")
    classes = {label for part in inside for label in folders_in(folder / part)}
    return _listing(folder, list(_tree_entries(folder, inside)), classes)


def list_table(table: Path) -> Listing:
    """The files of a CSV table with the columns path (relative to the table), label and split.

    Raises:
        DataError: the table is missing, has other columns or splits, names a file twice or one outside its
            folder.
    """
    entries = []
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            for number, line in enumerate(csv.DictReader(file), start=2):
                _require_entry(line, f"{table}:{number}")
                entries.append(Entry(sys.intern(line["split"]), sys.intern(line["label"]), line["path"]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read as a CSV table ({error}).") from error
    twice = [name for name, count in Counter(entry.name for entry in entries).items() if count > 1]
    if twice:
        raise DataError(f"{table.parent}: every image must be named once, but {twice[0]} is named again.")
    return _listing(table.parent, entries, {entry.label for entry in entries})


def without(listing: Listing, names: Iterable[str]) -> Listing:
    """The listing without these files.

    Raises:
        DataError: a part or a class has no training image left.
    """
    gone = frozenset(names)
    entries = [entry for entry in listing.entries if entry.name not in gone]
    empty = {entry.part for entry in listing.entries} - {entry.part for entry in entries}
    if empty:
        raise DataError(f"{listing.folder}: no image of the {empty.pop()} part can be decoded.")
    return _listing(listing.folder, entries, set(listing.classes))


def shown(names: Sequence[str]) -> str:
    """The first of these names, and how many there are beyond them; what is not printable is escaped."""
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return ", ".join([*map(printable, names[:SHOWN]), *more])


def printable(name: str) -> str:
    """A name as it can be written anywhere, whatever characters a file system lets it have."""
    return name if name.isprintable() else ascii(name)


def _require_entry(line: Mapping[str, str], place: str) -> None:
    if not line.get("path") or not line.get("label") or line.get("split") not in PART_NAMES:
        found = ", ".join(f"{column}={value}" for column, value in line.items())
        raise DataError(
            f"{place}: needs the columns path, label and split "
            f"(one of {', '.join(PART_NAMES)}), but got ({found})."
        )
    # elsewhere the same table would name other files, or none
    if Path(line["path"]).is_absolute() or ".." in Path(line["path"]).parts:
        raise DataError(
            f"{place}: a path must be relative to the table and stay in its folder, "
            f"but got (path={line['path']})."
        )


def _tree_entries(folder: Path, parts: Iterable[str]) -> Iterator[Entry]:
    for part in parts:
        for label in folders_in(folder / part):
            # one string for all images of a class
            shared = sys.intern(label)
            yield from (Entry(part, shared, name) for name in files_below(folder, f"{part}/{label}"))


def _listing(folder: Path, entries: list[Entry], classes: set[str]) -> Listing:
    """The entries in order; `classes` may have labels without an image.

    Raises:
        DataError: no training or test images, or a class that cannot be learnt.
    """
    for part in ("train", "test"):
        if all(entry.part != part for entry in entries):
            raise DataError(
                f"{folder}: the {part} part has no image. Give it one as {_LAYOUT} "
                "or in the table's column split; a fixed test part makes results comparable."
            )
    learnt = {entry.label for entry in entries if entry.part == "train"}
    unknown = sorted(classes - learnt)
    if unknown:
        raise DataError(f"{folder}: every class needs training images, but {shown(unknown)} has none.")
    odd = [label for label in learnt if not label.isprintable()]
    if odd:
        raise DataError(
            f"{folder}: the name of a class must be printable text, but got {min(odd)!a}. Rename it."
        )
    if len(learnt) == 1:
        raise DataError(f"{folder}: there must be 2 classes or more, but got only {learnt.pop()}.")
    entries.sort()
    return Listing(folder, tuple(entries), tuple(sorted(learnt)))

"""Which image files belong to a data set, with class and part: from a folder tree or a table."""

import csv
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

from msanet_bench.errors import DataError

# in the order in which a digest takes them
PartName: TypeAlias = Literal["train", "test", "val"]
PART_NAMES: tuple[PartName, ...] = get_args(PartName)

_LAYOUT = "{train,val,test}/<class>/<image>"


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
    inside = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    strangers = sorted(set(inside) - set(PART_NAMES))
    if strangers:
        raise DataError(f"{folder}: must hold {_LAYOUT} and no other folder, but got {', '.join(strangers)}.")
    return _listing(folder, list(_tree_entries(folder)))


def list_table(table: Path) -> Listing:
    """The files of a CSV table with the columns path (relative to the table), label and split.

    Raises:
        DataError: the table is missing, has other columns or splits, or names a file outside its folder.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read as a CSV table ({error}).") from error
    for number, line in enumerate(lines, start=2):
        _require_entry(line, f"{table}:{number}")
    return _listing(table.parent, [Entry(line["split"], line["label"], line["path"]) for line in lines])


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


def _tree_entries(folder: Path) -> Iterator[Entry]:
    # links are followed: data sets often are links, and a linked class must not vanish
    for place, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(place, name).relative_to(folder)
            classes = path.parts[1:-1]
            # a file beside the class folders has no class: a licence, a README
            if classes and not any(step.startswith(".") for step in path.parts):
                yield Entry(path.parts[0], classes[0], path.as_posix())


def _listing(folder: Path, entries: Sequence[Entry]) -> Listing:
    twice = [name for name, count in Counter(entry.name for entry in entries).items() if count > 1]
    if twice:
        raise DataError(f"{folder}: every image must be named once, but {twice[0]} is named again.")
    labels = {part: {entry.label for entry in entries if entry.part == part} for part in PART_NAMES}
    for part in ("train", "test"):
        if not labels[part]:
            raise DataError(
                f"{folder}: the {part} part has no image. Give it one as {_LAYOUT} "
                "or in the table's column split; a fixed test part makes results comparable."
            )
    unknown = (labels["val"] | labels["test"]) - labels["train"]
    if unknown:
        raise DataError(
            f"{folder}: every class needs training images, but {', '.join(sorted(unknown))} has none."
        )
    return Listing(folder, tuple(sorted(entries)), tuple(sorted(labels["train"])))

"""One of the tables that are compared, as its folder has it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from msanet_bench.compare.timings import Session, read_session
from msanet_bench.errors import BenchError, ResultsError
from msanet_bench.records import Record, read_records
from msanet_bench.units import parse_points

Place: TypeAlias = tuple[int, int]
Cells: TypeAlias = Mapping[Place, Record]

_TWO = 2


@dataclass(frozen=True, slots=True)
class Side:
    """A results folder.

    Attributes:
        cells: Every record by variant, seed and replicate, failed ones too.
        delta: The smallest difference that matters, as its manifest declares it; None without a manifest.
    """

    label: str
    path: str
    cells: Mapping[str, Cells]
    delta: float | None
    session: Session


def parse_sides(arguments: Sequence[str]) -> dict[str, Path]:
    """The folders by their labels: `label=path`, or `base` and `head` where no label is given.

    Raises:
        BenchError: fewer than two, or a label twice.
    """
    if len(arguments) < _TWO:
        raise BenchError("compare needs a base and at least one head.")
    heads = ["head"] if len(arguments) == _TWO else [f"head {n}" for n in range(1, len(arguments))]
    named = [_named(text, label) for text, label in zip(arguments, ["base", *heads], strict=True)]
    labels = [label for label, _ in named]
    for label in labels:
        if labels.count(label) > 1:
            raise BenchError(f"the tables must have different labels, but {label!r} stands for several.")
    return dict(named)


def parse_delta(text: str | None) -> float | None:
    """`0.3 pp` as a fraction; None stays None.

    Raises:
        BenchError: the text is no positive number of percentage points.
    """
    try:
        return None if text is None else parse_points(text)
    except ValueError as error:
        raise BenchError(f"--delta: {error}") from error


def read_side(label: str, path: Path) -> Side:
    """The records of a folder, its delta and its latencies; a file of records alone has neither.

    Raises:
        ResultsError: a file cannot be read, or a cell has two records.
    """
    cells = _by_variant(path, read_records(path))
    return Side(label, str(path), cells, _delta(path / "manifest.json"), read_session(path))


def succeeded(cells: Cells) -> dict[Place, Record]:
    return {place: record for place, record in cells.items() if record.status == "ok"}


def _named(text: str, default: str) -> tuple[str, Path]:
    label, equals, path = text.partition("=")
    # a folder may have an equals sign in its name
    if not equals or "/" in label or Path(text).exists():
        return default, Path(text)
    if not label.strip() or not path:
        raise BenchError(f"a table must be given as PATH or LABEL=PATH, but got {text!r}.")
    return label.strip(), Path(path)


def _by_variant(path: Path, records: Sequence[Record]) -> dict[str, dict[Place, Record]]:
    variants: dict[str, dict[Place, Record]] = {}
    for record in records:
        cells = variants.setdefault(record.variant, {})
        place = record.seed, record.replicate
        if place in cells:
            raise ResultsError(f"{path}: `{record.variant}` has two records of seed {record.seed}.")
        cells[place] = record
    return variants


def _delta(manifest: Path) -> float | None:
    if not manifest.exists():
        return None
    try:
        return parse_points(json.loads(manifest.read_text(encoding="utf-8"))["experiment"]["delta"])
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{manifest}: not a manifest ({type(error).__name__}: {error}).") from error

"""Rows from elsewhere, of timm's tables or of a paper: neither trained nor measured here."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from msanet_bench.errors import BenchError

Quantity: TypeAlias = Literal["accuracy", "params", "macs", "latency_s"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A network as somebody else states it; None where the file says nothing.

    Attributes:
        accuracy: A fraction.
        source: The name of the file.
    """

    name: str
    accuracy: float | None
    params: float | None
    macs: float | None
    latency_s: float | None
    source: str


class _Meaning(NamedTuple):
    """What a column states, and its unit in that of a reference."""

    quantity: Quantity
    unit: Decimal


NAMES = ("name", "model")
# timm calls them top1, param_count (in millions) and infer_gmacs. Its infer_step_time is that of a whole
# batch and so no latency; columns that are not named here are passed over.
HEADERS: Mapping[str, _Meaning] = {
    "accuracy": _Meaning("accuracy", Decimal("0.01")),
    "top1": _Meaning("accuracy", Decimal("0.01")),
    "params": _Meaning("params", Decimal(1)),
    "param_count": _Meaning("params", Decimal(10**6)),
    "macs": _Meaning("macs", Decimal(1)),
    "gmacs": _Meaning("macs", Decimal(10**9)),
    "infer_gmacs": _Meaning("macs", Decimal(10**9)),
    "latency_s": _Meaning("latency_s", Decimal(1)),
    "latency_ms": _Meaning("latency_s", Decimal("0.001")),
}

_ONE_PERCENT = 0.01
# Commas only in groups of three, as timm writes 1,014.45 million parameters.
_NUMBER = re.compile(r"(\d{1,3}(,\d{3})+|\d+)(\.\d*)?([eE][+-]?\d{1,2})?|\.\d+")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where in a row what stands."""

    width: int
    name: int
    quantities: Mapping[int, str]


def read_references(path: Path) -> tuple[Reference, ...]:
    """The rows of a CSV file with `name` or `model`, and any of the columns of `HEADERS`.

    Raises:
        BenchError: the file cannot be read, or a line is not in order.
    """
    (first, header), *lines = _lines(path) or [(1, [])]
    layout = _layout(f"{path}:{first}", [title.strip().lower() for title in header])
    references = tuple(_reference(f"{path}:{number}", path.name, layout, fields) for number, fields in lines)
    stated = [reference.accuracy for reference in references if reference.accuracy is not None]
    if stated and 0 < max(stated) <= _ONE_PERCENT:
        raise BenchError(
            f"{path}:{first}: accuracies are in percent (76.1, not 0.761), but none here is above 1."
        )
    return references


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The fields of every line that is not empty, with its number from 1."""
    try:
        # Excel begins its UTF-8 with a mark that is no part of the first title.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                return [(reader.line_num, fields) for fields in reader if fields]
            except csv.Error as error:
                at = f"{path}:{reader.line_num}"
                raise BenchError(f"{at}: not comma-separated values ({error}).") from error
    except UnicodeDecodeError as error:
        raise BenchError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}).") from error
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror}).") from error


def _layout(at: str, header: Sequence[str]) -> _Layout:
    names = [place for place, title in enumerate(header) if title in NAMES]
    if len(names) != 1:
        found = f"{len(names)} of them" if names else "neither"
        raise BenchError(f"{at}: the header must have one of {' and '.join(NAMES)}, but has {found}.")
    quantities = {place: title for place, title in enumerate(header) if title in HEADERS}
    if not quantities:
        raise BenchError(f"{at}: the header must have any of {', '.join(HEADERS)}, but has none.")
    _refuse_twice(at, list(quantities.values()))
    return _Layout(len(header), names[0], quantities)


def _refuse_twice(at: str, titles: Sequence[str]) -> None:
    first: dict[Quantity, str] = {}
    for title in titles:
        quantity = HEADERS[title].quantity
        if quantity in first:
            raise BenchError(f"{at}: `{first[quantity]}` and `{title}` state the same. Keep one.")
        first[quantity] = title


def _reference(at: str, source: str, layout: _Layout, fields: Sequence[str]) -> Reference:
    if len(fields) != layout.width:
        raise BenchError(
            f"{at}: must have as many fields as the header, {layout.width}, but has {len(fields)}."
        )
    name = " ".join(fields[layout.name].split())
    if not name:
        raise BenchError(f"{at}: the name must not be empty.")
    values = {
        HEADERS[title].quantity: _value(at, title, fields[place].strip())
        for place, title in layout.quantities.items()
    }
    return Reference(
        name=name,
        accuracy=values.get("accuracy"),
        params=values.get("params"),
        macs=values.get("macs"),
        latency_s=values.get("latency_s"),
        source=source,
    )


def _value(at: str, title: str, text: str) -> float | None:
    """A number in the unit of a reference; in decimals, so that 25.56 millions are 25,560,000."""
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise BenchError(f"{at}: {title}: must be a number of 0 or more, but got {text!r}.")
    meaning = HEADERS[title]
    value = float(Decimal(text.replace(",", "")) * meaning.unit)
    if meaning.quantity == "accuracy" and value > 1:
        raise BenchError(f"{at}: {title}: must be in percent, from 0 to 100, but got {text!r}.")
    return value

"""The raw rows of a results folder: accuracies by variant and seed, counted from the bits of each record."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from msanet_bench.errors import ResultsError
from msanet_bench.records import Record, read_records

# seed and replicate: cells that share them are a pair
Pair: TypeAlias = tuple[int, int]

# accuracies are fractions of at most some hundred thousand images
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """One cell.

    Attributes:
        levels: The level of each factor by its name, as text; a factor that does not apply is missing.
        accuracy: None unless the cell succeeded.
        status: What became of it.
    """

    variant: str
    levels: Mapping[str, str]
    pair: Pair
    accuracy: float | None
    status: str


def read_rows(folder: Path) -> list[Row]:
    """Every cell of a results folder, in its order.

    Raises:
        ResultsError: there are no records, a cell stands twice, or an accuracy is not that of its bits.
    """
    rows = [_row(folder, record) for record in read_records(folder)]
    seen: set[tuple[str, Pair]] = set()
    for row in rows:
        if (row.variant, row.pair) in seen:
            raise ResultsError(f"{folder}: `{row.variant}` has two records of seed {row.pair[0]}. Keep one.")
        seen.add((row.variant, row.pair))
    return rows


def _row(folder: Path, record: Record) -> Row:
    levels = {name: str(level) for name, level in record.factors.items()}
    pair = record.seed, record.replicate
    return Row(record.variant, levels, pair, _accuracy(folder, record), record.status)


def _accuracy(folder: Path, record: Record) -> float | None:
    if record.status != "ok":
        return None
    counted = record.packed_bits()
    accuracy = int.from_bytes(counted).bit_count() / record.test_images
    said = record.measures["accuracy"].value
    if abs(accuracy - said) > _SAME:
        raise ResultsError(
            f"{folder}: `{record.variant}`, seed {record.seed}: the accuracy must be that of the bits, but "
            f"{said} is written and {accuracy} is counted. Bring back the records that the sweep wrote."
        )
    return accuracy

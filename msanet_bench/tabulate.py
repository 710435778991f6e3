"""Records as a flat table: one row a record, one column a factor and a measure."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msanet_bench.records import Record

_FIRST = ("status", "variant")
_CELL = ("seed", "replicate")
_LAST = ("reason", "key")
_FIRST_MEASURES = ("accuracy", "balanced_accuracy", "loss")


def columns(records: Sequence[Record]) -> list[str]:
    """Status and variant, the factors, seed and replicate, the measures, reason and key."""
    fixed = {*_FIRST, *_CELL, *_LAST}
    factors = dict.fromkeys(path for record in records for path in record.factors if path not in fixed)
    measures = {name for record in records for name in record.measures}
    rest = sorted(measures.difference(_FIRST_MEASURES))
    return [*_FIRST, *factors, *_CELL, *(n for n in _FIRST_MEASURES if n in measures), *rest, *_LAST]


def row(record: Record) -> dict[str, Any]:
    """The values of one record by column; a level that is a list or a mapping is its JSON."""
    return {
        **{path: _plain(level) for path, level in record.factors.items()},
        **{name: measure.value for name, measure in record.measures.items()},
        "status": record.status,
        "variant": record.variant,
        "seed": record.seed,
        "replicate": record.replicate,
        "reason": record.reason,
        "key": record.key,
    }


def results_csv(records: Sequence[Record]) -> str:
    """`results.csv`: what a record lacks is an empty field."""
    return csv_text(columns(records), map(row, records))


def csv_text(header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Comma-separated text with plain newlines; None and missing values are empty."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _plain(level: object) -> object:
    return json.dumps(level) if isinstance(level, list | dict) else level

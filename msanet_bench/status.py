"""How far a sweep is: every planned cell by what became of it. Reads files only."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from msanet_bench.errors import ResultsError
from msanet_bench.journal import Journal, final_records
from msanet_bench.migrations import migrated
from msanet_bench.records import Record, read_records

T = TypeVar("T")

COLUMNS = ("ok", "failed", "oom", "diverged", "pruned", "missing")


@dataclass(frozen=True, slots=True)
class VariantStatus:
    """How many cells of one variant ended in which way, and why those that are not ok did not."""

    variant: str
    counts: Mapping[str, int]
    reasons: tuple[str, ...]


def read_status(results: Path) -> list[VariantStatus]:
    """The cells of the plan, variant by variant in plan order.

    Raises:
        ResultsError: the folder holds no plan, or its records cannot be read.
    """
    planned = _planned_cells(results / "manifest.json")
    records = _records(results)
    return [_variant_status(variant, keys, records) for variant, keys in planned.items()]


def count_trials(results: Path) -> dict[str, int]:
    """How many trials of a search ended in which way; empty for a finite design.

    Raises:
        ResultsError: the folder holds no plan.
    """
    return _read(
        results / "manifest.json",
        lambda fields: dict(Counter(str(trial["state"]) for trial in fields.get("trials", ()))),
    )


def _variant_status(variant: str, keys: Mapping[str, int], records: Mapping[str, Record]) -> VariantStatus:
    found = {seed: records[key] for key, seed in keys.items() if key in records}
    counts: Counter[str] = Counter(record.status for record in found.values())
    reasons = (f"seed {seed}: {r.status}: {r.reason}" for seed, r in found.items() if r.status != "ok")
    return VariantStatus(
        variant=variant,
        counts={**counts, "missing": len(keys) - len(found)},
        reasons=tuple(reasons),
    )


def _planned_cells(manifest: Path) -> dict[str, dict[str, int]]:
    """The seed of each cell's key, by variant."""
    planned: dict[str, dict[str, int]] = {}
    for variant, key, seed in _read(manifest, lambda fields: [_cell(cell) for cell in fields["cells"]]):
        planned.setdefault(variant, {})[key] = seed
    return planned


def _cell(fields: Mapping[str, Any]) -> tuple[str, str, int]:
    return fields["variant"], fields["key"], fields["seed"]


def _read(manifest: Path, take: Callable[[Mapping[str, Any]], T]) -> T:
    """What a manifest says; its fields are judged as they are taken."""
    try:
        return take(migrated("manifest", str(manifest), json.loads(manifest.read_text(encoding="utf-8"))))
    except OSError as error:
        raise ResultsError(
            f"{manifest}: cannot be read ({error.strerror}). Run `msanet-bench sweep` first."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{manifest}: not a manifest ({type(error).__name__}: {error}).") from error


def _records(results: Path) -> dict[str, Record]:
    """The journal while there is one; a folder that was committed has the records alone."""
    journal = Journal(results / "journal.jsonl")
    if journal.path.exists():
        return final_records(journal.read())
    return {record.key: record for record in read_records(results)}

"""Results folders made up for comparisons."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from msanet_bench.compare import Comparison, compare
from msanet_bench.compare.document import Column, Entry, Table
from msanet_bench.records import Record, pack_bits, write_records
from msanet_bench.units import Measure

MACHINE = {"cpu": "EPYC", "cores": 2, "torch": "2.14.1", "cuda_device": None, "cuda": None}
TIMING = {
    "side": "head",
    "role": "variant",
    "device": "cpu",
    "batch": "1",
    "precision": "fp32_strict",
    "mode": "eager",
    "cache": "warm",
    "memory_format": "contiguous",
    "threads": "1",
    "clock": "host",
    "n": "120",
    "latency_s": "0.001",
    "ratio_low": "0.98",
    "ratio_high": "1.02",
    "status": "ok",
}
SPEED = {"device": "cpu", "batch": 1, "precision": "fp32_strict", "cache": "warm", "rounds": 120}


def cell(
    variant: str,
    seed: int,
    accuracy: float | None,
    *,
    params: int = 100,
    macs: int | None = None,
    digest: str = "d",
    **changes: Any,
) -> Record:
    """A record of 10,000 images; one that failed where there is no accuracy."""
    measures = {
        "accuracy": Measure(accuracy, "fraction", "higher"),
        "params": Measure(params, "count", "lower"),
        "macs": Measure(10 * params if macs is None else macs, "count", "lower"),
    }
    fields = {
        "key": f"{variant}{seed}{params}",
        "variant": variant,
        "factors": {},
        "seed": seed,
        "replicate": 0,
        "status": "ok" if accuracy is not None else "failed",
        "reason": "" if accuracy is not None else "RuntimeError: planted\nwith more lines",
        "measures": measures if accuracy is not None else {},
        "provenance": {"data_digest": digest},
        "test_images": 10_000,
    }
    right = _first_right(accuracy or 0, changes.get("test_images", 10_000))
    return Record(**{**fields, "correct": right, **changes})


def _first_right(accuracy: float, images: int) -> str:
    """The first images right, the others wrong: which ones is no matter here."""
    return pack_bits(np.arange(images) < round(images * accuracy))


def cells(variant: str, *accuracies: float | None, **options: Any) -> list[Record]:
    """One record a seed."""
    return [cell(variant, seed, accuracy, **options) for seed, accuracy in enumerate(accuracies)]


def write_folder(
    folder: Path,
    records: Sequence[Record],
    *,
    delta: str | None = "0.5 pp",
    medians: Mapping[str, float] | None = None,
    machine: Mapping[str, object] | None = None,
    threads: str = "1",
    drift: float = 0.02,
    super_rounds: int = 12,
) -> Path:
    """A results folder; without `medians`, seconds a variant, it has no latencies."""
    folder.mkdir(parents=True, exist_ok=True)
    write_records(folder / "records.jsonl", records)
    if delta is not None:
        (folder / "manifest.json").write_text(json.dumps({"experiment": {"delta": delta}}))
    if medians is not None:
        rows = [{**TIMING, "variant": v, "p50_s": s, "threads": threads} for v, s in medians.items()]
        _write(folder / "latency.csv", rows)
        _write(folder / "latency_sessions.csv", [{**SPEED, "drift": drift, "super_rounds": super_rounds}])
        (folder / "session.json").write_text(json.dumps(MACHINE if machine is None else machine))
    return folder


def compare_records(
    folder: Path, base: Sequence[Record], head: Sequence[Record], **options: Any
) -> Comparison:
    """Two lists of records against each other."""
    sides = {"base": write_folder(folder / "a", base), "head": write_folder(folder / "b", head)}
    return compare(sides, **options)


def table_of(comparison: Comparison, metric: str, condition: str = "") -> Table:
    found = [table for table in comparison.tables if table.metric.name == metric]
    return next(table for table in found if condition in table.condition)


def column_of(comparison: Comparison, metric: str = "accuracy") -> Column:
    return table_of(comparison, metric).columns[0]


def entry_of(comparison: Comparison, variant: str = "a", metric: str = "accuracy") -> Entry:
    table = table_of(comparison, metric)
    return table.columns[0].entries[table.variants.index(variant)]


def _write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

"""What became of a plan: records and tables of its finished cells, in its order. Loads no torch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from msanet_bench.journal import Attempt, final_attempts
from msanet_bench.records import replace_text, write_records
from msanet_bench.tabulate import csv_text, results_csv

# records of variants as they are without tuning
UNTUNED = "untuned.jsonl"

TIMINGS = ("variant", "seed", "replicate", "status", "train_s", "evaluate_s", "cell_s", "device")


class PlannedCell(NamedTuple):
    """A cell as the plan calls it."""

    key: str
    variant: str
    factors: Mapping[str, Any]
    seed: int


def export_finished(results: Path, cells: Iterable[PlannedCell], attempts: Iterable[Attempt]) -> None:
    """The records of the plan in its order, the same as a flat table, and how long each cell took."""
    finished = list(finished_cells(cells, attempts))
    records = [attempt.record for attempt in finished]
    write_records(results / "records.jsonl", records)
    replace_text(results / "results.csv", results_csv(records))
    replace_text(results / "timings.csv", csv_text(TIMINGS, map(_timing, finished)))


def finished_cells(cells: Iterable[PlannedCell], attempts: Iterable[Attempt]) -> Iterator[Attempt]:
    """The attempt that counts of each cell that has one, in plan order."""
    final = final_attempts(attempts)
    return (_as_planned(final[cell.key], cell) for cell in cells if cell.key in final)


def _as_planned(attempt: Attempt, cell: PlannedCell) -> Attempt:
    """The attempt under the names of today's plan: an edited baseline gives old cells other names."""
    record = replace(attempt.record, variant=cell.variant, factors=cell.factors)
    return replace(attempt, record=record)


def _timing(attempt: Attempt) -> dict[str, Any]:
    record = attempt.record
    return {
        "variant": record.variant,
        "seed": record.seed,
        "replicate": record.replicate,
        "status": record.status,
        "train_s": _seconds(attempt.train_seconds),
        "evaluate_s": _seconds(attempt.evaluate_seconds),
        "cell_s": _seconds(attempt.seconds),
        "device": attempt.device,
    }


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.3f}"

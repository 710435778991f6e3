"""What a results folder holds beside its journal and its latencies: made from the journal and the plan."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from msanet_bench.amendments import History
from msanet_bench.checks import CheckedPlan
from msanet_bench.journal import Attempt, final_attempts
from msanet_bench.measure.environment import environment
from msanet_bench.migrations import newest
from msanet_bench.plan import BASELINE, Cell
from msanet_bench.records import replace_text, write_records
from msanet_bench.spec import Experiment, digest
from msanet_bench.tabulate import csv_text, results_csv

TIMINGS = ("variant", "seed", "replicate", "status", "train_s", "evaluate_s", "cell_s", "device")


def write_manifest(
    results: Path,
    experiment: Experiment,
    plan: CheckedPlan,
    cells: Sequence[Cell],
    history: History,
    *,
    threads: int,
    trials: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """What was planned, on what, by what: written before the first cell runs.

    Of a search it is written again whenever a trial begins or ends; `trials` are all of them so far.
    """
    content = {
        "schema_version": newest("manifest"),
        "name": experiment.name,
        "question": experiment.question,
        "experiment": experiment.model_dump(mode="json"),
        "experiment_digest": digest(experiment),
        "baseline": BASELINE,
        "variants": [
            {"name": v.name, "factors": dict(v.factors), "merged": list(plan.merged[v.name])}
            for v in plan.variants
        ],
        "cells": [{"variant": c.variant.name, "seed": c.seed, "key": c.key} for c in cells],
        "excluded": [exclusion._asdict() for exclusion in plan.excluded],
        "looks": list(map(list, history.looks)),
        "amendments": list(map(dict, history.amendments)),
        "added_seeds": dict(history.added_seeds),
        "accepted_code": sorted(history.accepted_code),
        "notes": list(plan.notes),
        "data_digest": plan.data_digest(experiment.data),
        "test_labels": _packed_labels(plan.test_labels),
        "environment": {**environment(), "threads_per_worker": threads},
    }
    if trials is not None:
        content["trials"] = list(trials)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    replace_text(results / "manifest.json", f"{text}\n")


def export_records(results: Path, cells: Sequence[Cell], attempts: Sequence[Attempt]) -> None:
    """The records of the plan in its order, the same as a flat table, and how long each cell took."""
    final = final_attempts(attempts)
    finished = [_as_planned(final[cell.key], cell) for cell in cells if cell.key in final]
    records = [attempt.record for attempt in finished]
    write_records(results / "records.jsonl", records)
    replace_text(results / "results.csv", results_csv(records))
    replace_text(results / "timings.csv", csv_text(TIMINGS, map(_timing, finished)))


def _as_planned(attempt: Attempt, cell: Cell) -> Attempt:
    """The attempt under the names of today's plan: an edited baseline gives old cells other names."""
    record = replace(attempt.record, variant=cell.variant.name, factors=cell.variant.factors)
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


def _packed_labels(labels: Sequence[int]) -> str:
    return base64.b64encode(np.asarray(labels, dtype="<u2").tobytes()).decode("ascii")

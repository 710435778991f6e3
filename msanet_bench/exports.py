"""What a results folder holds beside its journal and its latencies: made from the journal and the plan."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from msanet_bench.amendments import History
from msanet_bench.checks import CheckedPlan
from msanet_bench.finished import UNTUNED, PlannedCell, export_finished, finished_cells
from msanet_bench.journal import Attempt
from msanet_bench.measure.environment import environment
from msanet_bench.migrations import newest
from msanet_bench.plan import BASELINE, Cell
from msanet_bench.records import replace_text, write_records
from msanet_bench.shard import Shard
from msanet_bench.spec import Experiment, digest


def write_manifest(
    results: Path,
    experiment: Experiment,
    plan: CheckedPlan,
    cells: Sequence[Cell],
    history: History,
    *,
    threads: int,
    shard: Shard | None = None,
    trials: Sequence[Mapping[str, Any]] | None = None,
    tuning: Mapping[str, Any] | None = None,
) -> None:
    """What was planned, on what, by what: written before the first cell runs.

    A shard's holds the whole plan too, and which shard it is. That of a search is written again whenever a
    trial begins or ends; `trials` are all of them so far.
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
    parts = {
        "choices": list(map(dict, history.choices)) or None,
        "shard": None if shard is None else shard.to_json(),
        "trials": None if trials is None else list(trials),
        "tuning": None if tuning is None else dict(tuning),
    }
    content |= {name: part for name, part in parts.items() if part is not None}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    # looks, amendments and decisions stand nowhere else
    replace_text(results / "manifest.json", f"{text}\n", durable=True)


def export_untuned(results: Path, cells: Sequence[Cell] | None, attempts: Sequence[Attempt]) -> None:
    """The records of the variants as they are without tuning; None where nothing is tuned."""
    if cells is None:
        (results / UNTUNED).unlink(missing_ok=True)
        return
    write_records(
        results / UNTUNED, [attempt.record for attempt in finished_cells(_planned(cells), attempts)]
    )


def export_records(results: Path, cells: Sequence[Cell], attempts: Sequence[Attempt]) -> None:
    """The records and tables of the cells of a plan."""
    export_finished(results, _planned(cells), attempts)


def _planned(cells: Sequence[Cell]) -> list[PlannedCell]:
    return [PlannedCell(c.key, c.variant.name, c.variant.factors, c.seed) for c in cells]


def _packed_labels(labels: Sequence[int]) -> str:
    return base64.b64encode(np.asarray(labels, dtype="<u2").tobytes()).decode("ascii")

"""How long the missing cells of a plan will take on this machine."""

import math
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from msanet_bench.cell import THREADS_PER_WORKER, device_name
from msanet_bench.checks import CheckedPlan
from msanet_bench.duration.probe import FirstStep, Timed
from msanet_bench.duration.schedule import CellCost, makespan, session_seconds
from msanet_bench.duration.workers import Wanted, probe_variants
from msanet_bench.journal import Attempt
from msanet_bench.plan import Cell
from msanet_bench.profile import network_of
from msanet_bench.session.files import is_measured
from msanet_bench.session.rules import RULES
from msanet_bench.session.run import session_digest
from msanet_bench.source_digest import code_digest
from msanet_bench.spec import Experiment


@dataclass(frozen=True, slots=True)
class Prediction:
    """Seconds, and what they are known from.

    Attributes:
        seconds: Of a whole sweep, the report apart.
        steps: How many steps of each variant were timed; 0 if none was.
        cells: How many finished cells say what others will take.
        failures: The variants whose first steps failed; their cells count as if they ended at once.
    """

    seconds: float
    training_seconds: float
    workers: int
    steps: int
    cells: int
    failures: tuple[FirstStep, ...]


def is_timed(experiment: Experiment, plan: CheckedPlan, results: Path, plugin_folder: Path) -> bool:
    """Whether a results folder holds the latencies of this plan."""
    code = code_digest(experiment.plugins, plugin_folder)
    return is_measured(
        results, session_digest(experiment.measure, plan, threads=THREADS_PER_WORKER, code=code)
    )


def predict_duration(wanted: Wanted) -> Prediction:
    """Time a few steps of each variant that no finished cell speaks for, all workers busy, and add up."""
    known = _known_seconds(wanted)
    variants = {cell.variant.name: cell for cell in reversed(wanted.missing)}
    unknown = [cell for name, cell in reversed(variants.items()) if name not in known]
    if not (unknown or wanted.is_measured or not variants):
        unknown = [wanted.missing[0]]
    probed = probe_variants(wanted, unknown)
    timed = {name: parts for name, parts in probed.parts.items() if isinstance(parts, Timed)}
    costs = [_cost(cell, known, timed) for cell in wanted.missing]
    before = wanted.planning_seconds + probed.start + _counting(wanted, probed.count_seconds)
    training = makespan(costs, len(wanted.slots))
    return Prediction(
        seconds=before + training + _session(wanted, timed),
        training_seconds=training,
        workers=len(wanted.slots),
        steps=min((parts.steps for parts in timed.values()), default=0),
        cells=sum(attempt.record.variant in variants for attempt in _of_this_machine(wanted)),
        failures=tuple(parts for parts in probed.parts.values() if isinstance(parts, FirstStep)),
    )


def _of_this_machine(wanted: Wanted) -> list[Attempt]:
    here, device = socket.gethostname(), device_name(wanted.device)
    return [
        attempt
        for attempt in wanted.finished
        if attempt.record.status == "ok"
        and attempt.host == here
        and attempt.record.provenance.get("device") == device
    ]


def _known_seconds(wanted: Wanted) -> dict[str, float]:
    """What the finished cells of each variant took here."""
    seconds: dict[str, list[float]] = {}
    for attempt in _of_this_machine(wanted):
        seconds.setdefault(attempt.record.variant, []).append(attempt.seconds)
    return {name: median(each) for name, each in seconds.items()}


def _cost(cell: Cell, known: Mapping[str, float], timed: Mapping[str, Timed]) -> CellCost:
    name, settings = cell.variant.name, cell.variant.settings
    if name in known:
        return CellCost(known[name])
    if name not in timed:
        return CellCost(0.0)
    parts, train = timed[name], settings.train
    seconds = parts.cell_seconds(train.epochs, train.batch_size)
    return CellCost(seconds, parts.prepare, parts.load, settings.data.model_dump_json(), cell.seed)


def _counting(wanted: Wanted, seconds: float) -> float:
    """Every network's costs are counted before training, on all cores."""
    shapes = wanted.plan.shapes
    networks = {network_of(variant, shapes[variant.name]) for variant in wanted.plan.variants}
    return seconds * math.ceil(len(networks) / len(wanted.slots))


def _session(wanted: Wanted, timed: Mapping[str, Timed]) -> float:
    """The latency sessions of all kinds of device; a network that was not timed is as the mean of others."""
    measure = wanted.experiment.measure
    if wanted.is_measured or not measure.latency_rounds or not timed:
        return 0.0
    seconds = 0.0
    for kind in next(iter(timed.values())).calls:
        calls = {name: parts.calls[kind] for name, parts in timed.items()}
        mean = {batch: _mean(call[batch] for call in calls.values()) for batch in measure.latency_batches}
        all_calls = [calls.get(variant.name, mean) for variant in wanted.plan.variants]
        seconds += session_seconds(all_calls, measure, RULES[kind])
    return seconds


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)

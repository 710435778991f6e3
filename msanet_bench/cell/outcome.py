"""How a cell ended, as a record: with numbers, stopped early, or without any."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from msanet_bench.cell.job import Job, job_provenance
from msanet_bench.measure.memory.refused import is_out_of_memory
from msanet_bench.records import Record, Status, pack_bits
from msanet_bench.train.evaluate import Evaluation
from msanet_bench.train.fit import Fit
from msanet_bench.units import Measure


class NotFinite(Exception):
    """A measure of a cell is NaN or infinite; an outcome of a cell, as Diverged is."""


def failure(job: Job, status: Status, reason: str) -> Record:
    """The record of a cell that gave no numbers."""
    return Record(
        key=job.key,
        variant=job.variant,
        factors=job.factors,
        seed=job.seed,
        replicate=job.settings.replicate,
        status=status,
        reason=reason,
        provenance=job_provenance(job),
    )


def broken_off(error: Exception) -> tuple[Status, str]:
    """What an error of a cell makes of it, and the reason that its record gives."""
    if is_out_of_memory(error):
        return "oom", _first_line(error)
    return "failed", f"{type(error).__name__}: {_first_line(error)}"


def success(job: Job, trained: Fit, tested: Evaluation, determinism: list[str]) -> Record:
    """The record of a cell that gave numbers.

    Raises:
        NotFinite: one of them is none.
    """
    curve = [epoch.to_json() for epoch in trained.curve]
    require_finite(tested.measures, curve)
    return Record(
        key=job.key,
        variant=job.variant,
        factors=job.factors,
        seed=job.seed,
        replicate=job.settings.replicate,
        status="ok",
        measures={**tested.measures, **job.costs},
        curve=curve,
        correct=pack_bits(tested.correct),
        test_images=len(tested.correct),
        provenance={
            **job_provenance(job),
            "chosen_epoch": trained.chosen_epoch,
            "determinism": determinism,
        },
    )


def pruned(job: Job, trained: Fit, reason: str) -> Record:
    """The record of a run that was not worth its end: how it went so far, and nothing of the test images."""
    curve = [epoch.to_json() for epoch in trained.curve]
    require_finite({}, curve)
    return replace(failure(job, "pruned", reason), curve=curve)


def untested(job: Job, trained: Fit) -> Record:
    """The record of a run that is judged by validation images, by the epoch whose weights would be tested."""
    run = pruned(job, trained, "")
    accuracy = run.curve[trained.chosen_epoch - 1]["validation_accuracy"]
    return replace(
        run, status="ok", measures={"validation_accuracy": Measure(accuracy, "fraction", "higher")}
    )


def require_finite(measures: Mapping[str, Measure], curve: Sequence[Mapping[str, float]]) -> None:
    """Weights can be finite and still give outputs that are not, in half precision for example."""
    values = {f"the test's {name}": measure.value for name, measure in measures.items()}
    values |= {f"the {name} of epoch {row['epoch']}": value for row in curve for name, value in row.items()}
    for name, value in values.items():
        if not math.isfinite(value):
            raise NotFinite(f"{name} is {value}")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

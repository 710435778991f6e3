"""Sweeps that tune, where a formula stands for training: the best learning rate of each is planted."""

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import write_experiment
from msanet_bench.cell import Job, failure
from msanet_bench.checks import CheckedPlan
from msanet_bench.duration.probe import FirstStep
from msanet_bench.events import Event
from msanet_bench.journal import Attempt
from msanet_bench.node import Answer, FirstStepOf, Task
from msanet_bench.profile import Profile, profile_variants
from msanet_bench.records import Record, Status, pack_bits
from msanet_bench.sweep import run
from msanet_bench.sweep.place import Place
from msanet_bench.units import Measure
from sweeps import sweep

TUNED = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data:
  dataset: fake
  options: {classes: 3, channels: 1, size: 8, images: 60, test_images: 24}
  validation: 0.3
train: {epochs: 2, batch_size: 16, lr: 1e-3}
tune: {train.lr: [1.0e-5, 1.0e-1, log], trials: 8}
design: one_at_a_time
factors:
  attention: [self_attention, none, se]
seeds: 2
measure: {latency_rounds: 0}
"""
IMAGES = 1000

# log10 of the learning rate that is best for each attention: on validation images, and on test images
BEST = {"self_attention": -3.0, "none": -1.5, "se": -4.5}
BEST_TEST = {"self_attention": -1.0, "none": -5.0, "se": -2.0}


def validation(attention: str, lr: float) -> float:
    return 0.9 - 0.1 * abs(math.log10(lr) - BEST[attention])


def on_test(attention: str, lr: float, seed: int) -> float:
    return round(0.9 - 0.1 * abs(math.log10(lr) - BEST_TEST[attention]) + 0.001 * seed, 3)


@dataclass
class Formula:
    """An executor that knows every outcome; `status` says what a cell ends as, `most` when to break off."""

    status: Callable[[Job], Status] = lambda _: "ok"
    most: int | None = None
    jobs: list[Job] = field(default_factory=list)

    def submit(self, task: Task) -> Future[Answer]:
        future: Future[Answer] = Future()
        if isinstance(task, FirstStepOf):
            future.set_result(FirstStep(task.job.variant, "ok"))
            return future
        if self.most is not None and len(self.jobs) >= self.most:
            raise KeyboardInterrupt
        self.jobs.append(task)
        record = _record(task, self.status(task))
        future.set_result(Attempt(record, len(self.jobs), 1.0, 1.0, None, "cpu", "here"))
        return future

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        pass

    @property
    def tuning(self) -> list[Job]:
        return [job for job in self.jobs if not job.is_tested]

    @property
    def testing(self) -> list[Job]:
        return [job for job in self.jobs if job.is_tested]


def _record(job: Job, status: Status) -> Record:
    if status != "ok":
        return failure(job, status, "planted")
    attention, lr = job.settings.model.attention.block, job.settings.train.lr
    accuracy = on_test(attention, lr, job.seed)
    # the accuracy on test images stands even where it must not be read
    measures = {"accuracy": Measure(accuracy, "fraction", "higher")}
    measures["validation_accuracy"] = Measure(validation(attention, lr), "fraction", "higher")
    bits = np.arange(IMAGES) < round(accuracy * IMAGES)
    found = replace(failure(job, "ok", ""), measures={**measures, **job.costs})
    return replace(found, correct=pack_bits(bits), test_images=IMAGES) if job.is_tested else found


_PROFILES: dict[tuple[str, ...], Profile] = {}


def _profile(plan: CheckedPlan, given: Mapping[str, Any]) -> Profile:
    names = tuple(variant.name for variant in plan.variants)
    if names not in _PROFILES:
        _PROFILES[names] = profile_variants(plan, **given)
    return _PROFILES[names]


@pytest.fixture
def formula(monkeypatch: pytest.MonkeyPatch) -> Formula:
    """Takes the place of all workers."""
    executor = Formula()

    @contextmanager
    def place(*_: object) -> Iterator[Place]:
        yield Place(executor, 1)

    monkeypatch.setattr(run, "open_place", place)
    # the networks are the same in every test, and counting takes seconds
    monkeypatch.setattr(run, "profile_variants", lambda plan, **given: _profile(plan, given))
    return executor


def tuned(folder: Path, text: str = TUNED, **options: Any) -> list[Event]:
    """The events of a sweep whose results are in `results`."""
    return sweep(write_experiment(folder, text), folder / "results", **options)

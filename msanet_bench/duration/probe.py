"""A cell's first steps, taken in a worker as the cell takes them: do they go well, and how long are they?"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from statistics import mean, median

import torch

from msanet_bench.cell import Job, Ready, broken_off, cell_data, made_ready, set_process
from msanet_bench.data import Dataset, PreparedData
from msanet_bench.records import Status
from msanet_bench.train.evaluate import predict
from msanet_bench.train.fit import Batch
from msanet_bench.train.numerics import Numerics
from msanet_bench.train.seed import generator, nondeterministic_kernels, seed_global_dropout
from msanet_bench.train.source import Source
from msanet_bench.train.step import Stepper, prepare, take_step

# steps after the first: five at least and for a second, since a machine has its moods; fewer if they are long
FEWEST_STEPS, MOST_STEPS = 5, 50
_FEWEST_SECONDS, _MOST_SECONDS = 1.0, 10.0
_TIMED_CALLS = 5


@dataclass(frozen=True, slots=True)
class FirstStep:
    """How the first step of a variant's training went, at its full batch size, and how long it took.

    Attributes:
        cell_seconds: A cell in which every step takes as long, which it does not: the first is the slowest.
    """

    variant: str
    status: Status
    reason: str = ""
    seconds: float = 0.0
    cell_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Timed:
    """What a variant's cells are made of, in seconds.

    Attributes:
        load: To have the data in a process that has none, what loads them included.
        prepare: To have those of another seed.
        build: The network, and what its first step takes beyond a later one.
        steps: How many are behind the mean `step`.
        evaluate: One image.
        calls: One forward pass, by the kind of device and the number of images.
    """

    load: float
    prepare: float
    build: float
    step: float
    steps: int
    evaluate: float
    train_images: int
    validation_images: int
    test_images: int
    calls: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    def cell_seconds(self, epochs: int, batch_size: int) -> float:
        """A cell in a process that has its data."""
        epoch = self.step * self.train_images / batch_size + self.evaluate * self.validation_images
        return self.build + epochs * epoch + self.evaluate * self.test_images


def first_step(job: Job, sent: Dataset | None = None) -> FirstStep:
    """Take one step; whatever goes wrong with it is told as a cell would tell it."""
    try:
        with nondeterministic_kernels():
            ready = made_ready(job, sent)
            seconds = next(steps(job, ready))
    except Exception as error:  # noqa: BLE001 (of anybody's block: a variant that fails is a result)
        return FirstStep(job.variant, *broken_off(error))
    return FirstStep(job.variant, "ok", seconds=seconds, cell_seconds=steps_of(job, ready.data) * seconds)


def time_parts(job: Job, batches: Sequence[int]) -> Timed | FirstStep:
    """The parts of a variant's cells, calls of `batches` images too; or how its first steps failed."""
    try:
        with nondeterministic_kernels():
            return _timed(job, batches)
    except Exception as error:  # noqa: BLE001 (as above)
        return FirstStep(job.variant, *broken_off(error))


def _timed(job: Job, batches: Sequence[int]) -> Timed:
    set_process(job)
    began = time.perf_counter()
    cell_data(replace(job, seed=job.seed + 1))
    loaded = time.perf_counter()
    data = cell_data(job)
    prepared = time.perf_counter()
    ready = made_ready(job)
    built = time.perf_counter()
    first, *later = _few(steps(job, ready))
    step = mean(later)  # not the median: what slows some steps down slows some of a cell's too
    return Timed(
        load=loaded - began,
        prepare=prepared - loaded,
        build=built - prepared + max(0.0, first - step),
        step=step,
        steps=len(later),
        evaluate=_image_seconds(job, ready),
        train_images=data.train.num_images,
        validation_images=data.validation.num_images if data.validation else 0,
        test_images=data.test.num_images,
        calls={
            kind: {batch: _call_seconds(ready, batch, kind) for batch in batches}
            for kind in sorted({"cpu", job.device}, reverse=True)
        },
    )


def _few(steps: Iterator[float]) -> list[float]:
    """The first step and a few more, one at least."""
    taken = list(islice(steps, 2))
    while sum(taken) < _MOST_SECONDS and len(taken) <= MOST_STEPS and _are_too_few(taken):
        taken.append(next(steps))
    return taken


def _are_too_few(taken: Sequence[float]) -> bool:
    return len(taken) <= FEWEST_STEPS or sum(taken[1:]) < _FEWEST_SECONDS


def steps_of(job: Job, data: PreparedData) -> int:
    """How many steps the cell has."""
    spec = job.settings.train
    return spec.epochs * math.ceil(data.train.num_images / spec.batch_size)


def steps(job: Job, ready: Ready) -> Iterator[float]:
    """Take steps for ever, as `fit` does, and say how long each took until its loss was known."""
    spec = job.settings.train
    seed_global_dropout(job.seed, replicate=job.settings.replicate)
    noise = generator(job.seed, "augmentation", replicate=job.settings.replicate)
    stepper: Stepper = prepare(ready.model, spec)
    stepper.model.train()
    batches = _batches(job, ready.data.train)
    while True:
        began = time.perf_counter()
        images, labels = next(batches)
        if ready.augment is not None:
            images = ready.augment(images, noise)
        take_step(stepper, images, labels, spec.lr).item()
        yield time.perf_counter() - began


def _batches(job: Job, source: Source) -> Iterator[Batch]:
    """Full batches where the data are enough for one, epoch after epoch."""
    size = job.settings.train.batch_size
    order = generator(job.seed, "order", replicate=job.settings.replicate)
    while True:
        indices = torch.split(torch.randperm(source.num_images, generator=order), size)
        yield from source.batches(rows for rows in indices if len(rows) == min(size, source.num_images))


def _image_seconds(job: Job, ready: Ready) -> float:
    """Testing one image, among as many as a batch holds."""
    spec, source = job.settings.train, ready.data.test
    numerics = Numerics(spec.precision, spec.channels_last)
    size = min(spec.batch_size, source.num_images)
    rows = torch.split(torch.arange(source.num_images), size)[:_TIMED_CALLS]
    seconds = []
    for indices in (rows[0], *rows):
        began = time.perf_counter()
        predict(ready.model, (images for images, _ in source.batches([indices])), numerics)
        seconds.append((time.perf_counter() - began) / len(indices))
    return mean(seconds[1:])


def _call_seconds(ready: Ready, batch: int, kind: str) -> float:
    """One forward pass of so many images that lie ready, as a latency session makes it."""
    image, _ = next(iter(ready.data.test.batches([torch.zeros(1, dtype=torch.int64)])))
    images = image.expand(batch, *image.shape[1:]).contiguous().to(kind)
    model = ready.model.to(kind).eval()
    seconds = []
    with torch.inference_mode():
        for _ in range(1 + _TIMED_CALLS):
            began = time.perf_counter()
            model(images).sum().item()
            seconds.append(time.perf_counter() - began)
    return median(seconds[1:])

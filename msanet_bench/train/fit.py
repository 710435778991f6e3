"""The training loop."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from msanet_bench.spec import TrainSpec
from msanet_bench.train.evaluate import evaluate
from msanet_bench.train.progress import Epoch, Progress, Streams, restore, taken
from msanet_bench.train.schedule import lr_factor
from msanet_bench.train.seed import generator, seed_global_dropout
from msanet_bench.train.source import TrainingData
from msanet_bench.train.step import Stepper, prepare, take_step

Batch = tuple[Tensor, Tensor]
Augment = Callable[[Tensor, Generator], Tensor]


@dataclass(frozen=True, slots=True)
class Fit:
    """How training went; the model holds the weights of `chosen_epoch`."""

    curve: tuple[Epoch, ...]
    chosen_epoch: int


class Diverged(Exception):
    """The loss of a step, or a weight after it, is NaN or infinite; steps are numbered from 1.

    An outcome of a cell, as pruned is, and not a defect.
    """

    def __init__(self, step: int, loss: float) -> None:
        super().__init__(f"loss or weights are not finite at step {step} (loss={loss:.6g})")
        self.step = step
        self.loss = loss


def fit(
    model: nn.Module,
    data: TrainingData,
    spec: TrainSpec,
    *,
    seed: int,
    replicate: int,
    augment: Augment | None = None,
    on_epoch: Callable[[Epoch], bool] | None = None,
    start: Progress | None = None,
    keep: Callable[[Progress], None] | None = None,
) -> Fit:
    """Train a model in place, on the device where it and the data are.

    The order of the images comes from the seed's order stream, augmentation and dropout from theirs, so
    all models of one seed see the same batches. The last batch of an epoch holds what is left over.

    `augment` changes a batch of images, with random numbers of its own. `on_epoch` hears of every epoch;
    when it answers True, training ends there. Before that, `keep` is given all that a later call needs as
    its `start` to go on to the same bits.

    Raises:
        Diverged: a loss or a weight is NaN or infinite.
        ValueError: `best_val` is asked for without validation images.
    """
    if spec.checkpoint == "best_val" and data.validation is None:
        raise ValueError("`checkpoint: best_val` needs validation images, but got (validation images: 0).")
    seed_global_dropout(seed, replicate=replicate)
    streams = Streams(
        order=generator(seed, "order", replicate=replicate),
        augmentation=generator(seed, "augmentation", replicate=replicate),
    )
    stepper = prepare(model, spec)
    curve: list[Epoch] = []
    best: Mapping[str, Any] = {}
    chosen = 0
    if start is not None:
        restore(start, stepper, streams)
        curve, best, chosen = list(start.curve), start.best, start.chosen_epoch
    for number in range(len(curve) + 1, spec.epochs + 1):
        indices = torch.split(torch.randperm(data.train.num_images, generator=streams.order), spec.batch_size)
        batches = _augmented(data.train.batches(indices), augment, streams.augmentation)
        curve.append(_run_epoch(stepper, data, spec, number, batches))
        if spec.checkpoint == "last":
            chosen = number
        elif _is_best(curve):
            chosen, best = number, copy.deepcopy(model.state_dict())
        if keep is not None:
            keep(taken(stepper, streams, curve, best, chosen))
        if on_epoch is not None and on_epoch(curve[-1]):
            break
    if best:
        model.load_state_dict(best)
    return Fit(tuple(curve), chosen)


def _augmented(batches: Iterable[Batch], augment: Augment | None, noise: Generator) -> Iterator[Batch]:
    for images, labels in batches:
        yield (augment(images, noise) if augment else images), labels


def _run_epoch(
    stepper: Stepper, data: TrainingData, spec: TrainSpec, number: int, batches: Iterable[Batch]
) -> Epoch:
    steps = math.ceil(data.train.num_images / spec.batch_size)
    first, total = (number - 1) * steps, spec.epochs * steps
    rates = [spec.lr * lr_factor(spec.schedule, step, total) for step in range(first, first + steps)]
    losses = _train(stepper, batches, rates)
    _require_finite(stepper.model, losses, first_step=first + 1)
    left_over = data.train.num_images - (steps - 1) * spec.batch_size
    train_loss = (math.fsum(losses[:-1]) * spec.batch_size + losses[-1] * left_over) / data.train.num_images
    accuracy, loss = _validate(stepper.model, data, spec)
    return Epoch(number, train_loss, accuracy, loss, rates[-1])


def _train(stepper: Stepper, batches: Iterable[Batch], rates: Sequence[float]) -> list[float]:
    """The losses of one epoch, up to the first that is seen not to be finite."""
    stepper.model.train()
    losses: list[Tensor] = []
    for (images, labels), lr in zip(batches, rates, strict=True):
        losses.append(take_step(stepper, images, labels, lr))
        # On a CPU looking is free. On a CUDA device it would stall every step, so the epoch runs to its
        # end first; the step that is reported is the same.
        if not images.is_cuda and not losses[-1].isfinite():
            break
    values: list[float] = torch.stack(losses).tolist()
    return values


def _require_finite(model: nn.Module, losses: Sequence[float], *, first_step: int) -> None:
    for step, loss in enumerate(losses, start=first_step):
        if not math.isfinite(loss):
            raise Diverged(step, loss)
    # The last update of an epoch is followed by no loss that would betray it.
    if not torch.stack([value.isfinite().all() for value in model.state_dict().values()]).all():
        raise Diverged(first_step + len(losses) - 1, losses[-1])


def _validate(
    model: nn.Module, data: TrainingData, spec: TrainSpec
) -> tuple[float, float] | tuple[None, None]:
    """Accuracy and loss on the validation images, if there are any."""
    if data.validation is None:
        return None, None
    measures = evaluate(model, data.validation, spec, data.num_classes).measures
    return measures["accuracy"].value, measures["loss"].value


def _is_best(curve: Sequence[Epoch]) -> bool:
    """Whether the last epoch beats all before it; at a tie the earlier one stays."""
    *earlier, last = (epoch.validation_accuracy or 0.0 for epoch in curve)
    return not earlier or last > max(earlier)

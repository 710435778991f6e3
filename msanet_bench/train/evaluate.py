"""What a trained network says about images, and how right it is."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from msanet_bench.spec import TrainSpec
from msanet_bench.train.numerics import Numerics
from msanet_bench.train.source import Source
from msanet_bench.units import Measure


class Evaluation(NamedTuple):
    """Measures by name, and whether each image was classified correctly, shape (N,)."""

    measures: Mapping[str, Measure]
    correct: NDArray[np.bool_]


def evaluate(model: nn.Module, source: Source, spec: TrainSpec, num_classes: int) -> Evaluation:
    """The measures of a model on all images of a source, computed in the precision of its training."""
    logits, labels = outputs(model, source, spec)
    return metrics(logits, labels, num_classes)


def outputs(model: nn.Module, source: Source, spec: TrainSpec) -> tuple[Tensor, Tensor]:
    """The logits and the label of every image of a source, both on the CPU."""
    labels: list[Tensor] = []

    def images() -> Iterator[Tensor]:
        indices = torch.split(torch.arange(source.num_images), spec.batch_size)
        for batch, batch_labels in source.batches(indices):
            labels.append(batch_labels)
            yield batch

    logits = predict(model, images(), Numerics(spec.precision, spec.channels_last))
    return logits, torch.cat(labels).cpu()


def predict(model: nn.Module, batches: Iterable[Tensor], numerics: Numerics) -> Tensor:
    """Logits of all images, (N, num_classes) in float32 on the CPU; leaves the model in eval mode."""
    model.eval()
    with torch.inference_mode():
        logits = [_forward(model, images, numerics) for images in batches]
    # One transfer at the end: the device is not made to wait after every batch.
    return torch.cat(logits).cpu()


def metrics(logits: Tensor, labels: Tensor, num_classes: int) -> Evaluation:
    """Accuracy, balanced accuracy and cross-entropy of logits against labels, both on the CPU.

    Balanced accuracy is the mean recall over the classes that occur among the labels.
    The loss is the mean without label smoothing, whatever the training minimised.
    """
    correct = logits.argmax(dim=1) == labels
    images = torch.bincount(labels, minlength=num_classes)
    hits = torch.bincount(labels[correct], minlength=num_classes)
    present = images > 0
    recall = hits[present].double() / images[present]
    loss = functional.cross_entropy(logits.double(), labels)
    measures = {
        "accuracy": Measure(int(correct.sum()) / len(labels), "fraction", "higher"),
        "balanced_accuracy": Measure(recall.mean().item(), "fraction", "higher"),
        "loss": Measure(loss.item(), "nat", "lower"),
    }
    return Evaluation(measures, correct.numpy())


def _forward(model: nn.Module, images: Tensor, numerics: Numerics) -> Tensor:
    with numerics.autocast(images.device):
        logits: Tensor = model(numerics.lay_out(images))
    return logits.float()

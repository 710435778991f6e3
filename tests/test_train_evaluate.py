import math
from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, log_loss
from torch import Tensor, nn

from msanet_bench.spec import TrainSpec
from msanet_bench.train.evaluate import evaluate, metrics, predict
from msanet_bench.train.numerics import Numerics, Precision


def test_measures_of_four_images_worked_out_by_hand() -> None:
    # Classes 0 0 0 1; the third image is taken for class 1: recalls 2/3 and 1.
    logits = torch.tensor([[2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.0, 2.0]])
    evaluation = metrics(logits, torch.tensor([0, 0, 0, 1]), 2)
    measures = evaluation.measures
    assert evaluation.correct.tolist() == [True, True, False, True]
    assert evaluation.correct.dtype == np.bool_
    assert measures["accuracy"].value == 0.75
    assert measures["balanced_accuracy"].value == pytest.approx(5 / 6)
    # log(1 + e^-2) for three images and log(1 + e^2) for the one that is wrong.
    assert measures["loss"].value == pytest.approx(
        (3 * math.log1p(math.exp(-2)) + math.log1p(math.exp(2))) / 4
    )


def test_measures_say_unit_and_direction() -> None:
    measures = metrics(torch.eye(3), torch.arange(3), 3).measures
    assert {name: (m.unit, m.better) for name, m in measures.items()} == {
        "accuracy": ("fraction", "higher"),
        "balanced_accuracy": ("fraction", "higher"),
        "loss": ("nat", "lower"),
    }


@pytest.mark.parametrize("num_classes", [3, 7])
def test_measures_agree_with_scikit_learn_when_classes_are_unequal_or_absent(num_classes: int) -> None:
    logits = torch.randn(200, num_classes, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(0, num_classes - 1, (200,), generator=torch.Generator().manual_seed(1))
    guesses = logits.argmax(dim=1)
    known = torch.isin(guesses, labels)  # scikit-learn warns of guesses that no label has
    measures = metrics(logits[known], labels[known], num_classes).measures
    assert measures["balanced_accuracy"].value == pytest.approx(
        balanced_accuracy_score(labels[known], guesses[known])
    )
    chances = torch.softmax(logits[known].double(), dim=1)
    assert measures["loss"].value == pytest.approx(
        log_loss(labels[known], chances, labels=range(num_classes)), rel=1e-6
    )


class Spy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.head = nn.Linear(3, 2)

    def forward(self, images: Tensor) -> Tensor:
        self.was_last = images.is_contiguous(memory_format=torch.channels_last)
        return self.head(self.norm(images).mean(dim=(2, 3)))


def test_prediction_does_not_depend_on_how_images_are_batched() -> None:
    model = Spy()
    images = torch.randn(10, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    running = model.norm.running_mean.clone()
    whole = predict(model, [images], Numerics())
    parts = predict(model, torch.split(images, 3), Numerics())
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-6)
    assert torch.equal(model.norm.running_mean, running)
    assert not whole.requires_grad


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_gives_float32_logits_near_the_full_ones(precision: Precision) -> None:
    model = Spy()
    images = torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    full = predict(model, [images], Numerics())
    half = predict(model, [images], Numerics(precision, channels_last=True))
    assert half.dtype == torch.float32
    assert not torch.equal(half, full)
    torch.testing.assert_close(half, full, rtol=0.03, atol=0.03)
    assert model.was_last


def test_evaluation_asks_for_every_image_once_and_in_order() -> None:
    images, labels = torch.randn(7, 3, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(7) % 2

    class Recorder:
        num_images = 7
        asked: ClassVar[list[int]] = []

        def batches(self, indices: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
            for index in indices:
                self.asked += index.tolist()
                yield images[index], labels[index]

    model, source = Spy(), Recorder()
    evaluation = evaluate(model, source, TrainSpec(batch_size=3), 2)
    assert source.asked == list(range(7))
    guesses = predict(model, [images], Numerics()).argmax(dim=1)
    assert evaluation.correct.tolist() == (guesses == labels).tolist()

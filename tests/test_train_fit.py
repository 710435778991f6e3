import hashlib
import math
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from msanet_bench.model.build import build
from msanet_bench.model.initialise import initialise
from msanet_bench.spec import BlockSpec, ModelSpec, TrainSpec
from msanet_bench.train.fit import Diverged, Epoch, Fit, fit
from msanet_bench.train.step import prepare, take_step

HERE = Path(__file__).parent
QUICK = TrainSpec(epochs=2, batch_size=8, lr=0.01)


class Net(nn.Module):
    """Convolution, batch norm, attention over the positions, dropout: what the real networks are made of."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
            self.query_key_value = nn.Conv2d(width, 3 * width, 1)
            self.head = nn.Linear(width, 3)

    def forward(self, images: Tensor) -> Tensor:
        query, key, value = self.query_key_value(self.stem(images)).flatten(2).transpose(1, 2).chunk(3, -1)
        seen = functional.scaled_dot_product_attention(query, key, value).mean(dim=1)
        return self.head(functional.dropout(seen, 0.2, self.training))


class Images(NamedTuple):
    images: torch.Tensor
    labels: torch.Tensor

    @property
    def num_images(self) -> int:
        return len(self.labels)

    def batches(self, indices: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        return ((self.images[index], self.labels[index]) for index in indices)


class Data(NamedTuple):
    train: Images
    validation: Images | None
    num_classes: int


def make_data(num_train: int = 20, num_validation: int = 9, size: int = 4, brightness: float = 1.0) -> Data:
    """Three classes that differ in their mean colour, with noise."""
    source = torch.Generator().manual_seed(1)
    total = num_train + num_validation
    labels = torch.arange(total) % 3
    images = torch.randn(total, 3, size, size, generator=source) + 2 * torch.eye(3)[labels][:, :, None, None]
    images *= brightness
    train, validation = (
        Images(images[part], labels[part]) for part in (slice(num_train), slice(num_train, total))
    )
    return Data(train, validation if num_validation else None, 3)


def noisy(images: Tensor, generator: Generator) -> Tensor:
    return images + 0.1 * torch.randn(images.shape, generator=generator)


def bits(model: nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in model.state_dict().values())


def train(
    spec: TrainSpec = QUICK,
    seed: int = 0,
    replicate: int = 0,
    model: nn.Module | None = None,
    data: Data | None = None,
    **options: Callable[..., Any],
) -> tuple[Any, Fit]:
    model, data = model or Net(), data or make_data()
    return model, fit(model, data, spec, seed=seed, replicate=replicate, **options)


def test_a_network_learns_what_can_be_learned() -> None:
    _, result = train(TrainSpec(epochs=15, batch_size=8, lr=0.01))
    losses = [epoch.train_loss for epoch in result.curve]
    assert losses[-1] < losses[0] / 2
    assert result.curve[-1].validation_accuracy > 0.8
    assert [epoch.epoch for epoch in result.curve] == list(range(1, 16))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimiser": "sgd", "momentum": 0.0},
        {"optimiser": "sgd", "schedule": "cosine", "clip_norm": 0.5},
        {"schedule": "one_cycle", "label_smoothing": 0.1, "channels_last": True},
        {"precision": "bf16", "clip_norm": 1.0},
        {"precision": "fp16"},
        {"checkpoint": "best_val"},
    ],
)
def test_the_same_seed_gives_the_same_bits(changes: dict[str, Any]) -> None:
    spec = QUICK.model_copy(update=changes)
    (one, first), (two, second) = train(spec, augment=noisy), train(spec, augment=noisy)
    assert bits(one) == bits(two)
    assert first == second
    assert math.isfinite(first.curve[-1].train_loss)


def test_another_process_gives_the_same_bits() -> None:
    code = (
        f"import hashlib, torch; torch.set_num_threads({torch.get_num_threads()});"
        "import test_train_fit as t;"
        "print(hashlib.sha256(t.bits(t.train(augment=t.noisy)[0])).hexdigest())"
    )
    here = hashlib.sha256(bits(train(augment=noisy)[0])).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert there == here


def test_the_articles_network_trains_to_the_same_bits() -> None:
    def trained() -> tuple[bytes, Fit]:
        spec = ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1, 1, 1))
        model = build(spec, num_classes=3)
        initialise(model, 0)
        torch.manual_seed(len(runs))  # what went on before must not matter
        _, result = train(QUICK, model=model, data=make_data(size=8), augment=noisy)
        return bits(model), result

    runs: list[tuple[bytes, Fit]] = []
    runs.append(trained())
    runs.append(trained())
    assert runs[0] == runs[1]


def test_another_seed_or_replicate_gives_other_bits() -> None:
    runs = [train(seed=0), train(seed=1), train(seed=0, replicate=1)]
    assert len({bits(model) for model, _ in runs}) == 3


class Watched(nn.Module):
    """Any network, with a note of every batch that it was trained on."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.seen = []

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.seen.append(images.clone())
        return self.network(images)


def test_two_networks_of_one_seed_see_the_same_batches() -> None:
    wide, plain = Watched(Net(width=12)), Watched(nn.Sequential(nn.Flatten(), nn.LazyLinear(3)))
    plain(torch.zeros(1, 3, 4, 4))
    plain.seen.clear()
    train(model=wide, augment=noisy)
    train(model=plain, augment=noisy)
    assert [len(images) for images in wide.seen] == [8, 8, 4] * 2
    assert all(torch.equal(a, b) for a, b in zip(wide.seen, plain.seen, strict=True))
    assert not torch.equal(wide.seen[0], wide.seen[3])


def test_every_image_is_seen_once_an_epoch() -> None:
    watched, data = Watched(Net()), make_data()
    train(model=watched, data=data)
    for epoch in (watched.seen[:3], watched.seen[3:]):
        seen = torch.cat(epoch).flatten(1)
        assert sorted(seen.tolist()) == sorted(data.train.images.flatten(1).tolist())


def test_the_loss_of_an_epoch_is_a_mean_over_images_not_over_batches() -> None:
    # A learning rate too small to move a float32 leaves the network as it was, so that the mean can be
    # had in one piece: 20 images in batches of 8, 8 and 4.
    model, data = nn.Sequential(nn.Flatten(), nn.Linear(48, 3)), make_data()
    expected = functional.cross_entropy(
        model(data.train.images), data.train.labels, label_smoothing=0.2
    ).item()
    spec = TrainSpec(epochs=1, batch_size=8, lr=1e-30, label_smoothing=0.2, weight_decay=0.0)
    _, result = train(spec, model=model, data=data)
    assert result.curve[0].train_loss == pytest.approx(expected, rel=1e-6)


def test_one_step_of_sgd_is_the_sum_on_paper() -> None:
    # Weight 1, image 2, classes (w*x, 0): softmax p of class 0; gradient (p - 1) * 2, decay 0.1 * 1.
    class Slope(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, images: Tensor) -> Tensor:
            score = self.weight * images.flatten(1)
            return torch.cat([score, torch.zeros_like(score)], dim=1)

    spec = TrainSpec(optimiser="sgd", momentum=0.0, weight_decay=0.1, lr=0.5, clip_norm=0.05)
    image, label = torch.full((1, 1, 1, 1), 2.0), torch.tensor([0])
    free, clipped = Slope(), Slope()
    take_step(prepare(free, spec.model_copy(update={"clip_norm": None})), image, label, 0.5)
    take_step(prepare(clipped, spec), image, label, 0.5)
    share = 1 / (1 + math.exp(-2))
    assert free.weight.item() == pytest.approx(1 - 0.5 * ((share - 1) * 2 + 0.1))
    assert clipped.weight.item() == pytest.approx(1 - 0.5 * (-0.05 + 0.1), rel=1e-4)


def test_weight_decay_reaches_every_parameter() -> None:
    model = Net()
    optimiser = prepare(model, TrainSpec(weight_decay=0.3)).optimiser
    (group,) = optimiser.param_groups
    assert group["weight_decay"] == 0.3
    assert len(group["params"]) == len(list(model.parameters()))


def test_the_curve_tells_the_rate_of_the_last_step_of_each_epoch() -> None:
    _, result = train(TrainSpec(epochs=4, batch_size=20, lr=0.01, schedule="cosine"))
    expected = [0.005 * (1 + math.cos(math.pi * step / 4)) for step in range(4)]
    assert [epoch.lr for epoch in result.curve] == pytest.approx(expected)


class Fickle(nn.Module):
    """A network that is right about a planned share of the validation images in each epoch."""

    def __init__(self, hits: list[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.register_buffer("epoch", torch.zeros((), dtype=torch.int64))
        self.hits = hits

    def forward(self, images: Tensor) -> Tensor:
        self.epoch += int(self.training)  # an epoch is one batch
        # Validation labels are all 0: the first `hits` images are taken for 0, the others for 1.
        right = torch.arange(len(images)) < (0 if self.training else self.hits[int(self.epoch) - 1])
        return torch.stack([right.float(), 1 - right.float()], dim=1) + 0 * self.weight


def fickle_data() -> Data:
    images = Images(torch.zeros(4, 1, 1, 1), torch.zeros(4, dtype=torch.int64))
    return Data(images, images, 2)


@pytest.mark.parametrize(
    ("checkpoint", "hits", "chosen"),
    [
        ("best_val", [1, 3, 2, 3], 2),
        ("best_val", [0, 0, 0], 1),
        ("best_val", [1, 2, 4], 3),
        ("last", [4, 1], 2),
    ],
)
def test_the_checkpoint_is_the_last_epoch_or_the_earliest_of_the_best(
    checkpoint: str, hits: list[int], chosen: int
) -> None:
    model = Fickle(hits)
    spec = TrainSpec(epochs=len(hits), batch_size=4, checkpoint=checkpoint)
    _, result = train(spec, model=model, data=fickle_data())
    assert [epoch.validation_accuracy for epoch in result.curve] == [count / 4 for count in hits]
    assert result.chosen_epoch == chosen
    assert model.state_dict()["epoch"] == chosen


def test_best_val_without_validation_images_is_refused() -> None:
    with pytest.raises(ValueError, match="`checkpoint: best_val` needs validation images"):
        train(TrainSpec(checkpoint="best_val"), data=make_data(num_validation=0))


def test_without_validation_images_the_curve_has_no_validation() -> None:
    _, result = train(data=make_data(num_validation=0))
    assert {(e.validation_accuracy, e.validation_loss) for e in result.curve} == {(None, None)}
    assert result.curve[0].to_json().keys() == {"epoch", "train_loss", "lr"}


def test_on_epoch_hears_of_every_epoch_and_may_end_the_training() -> None:
    heard: list[Epoch] = []

    def stop_at_the_second(epoch: Epoch) -> bool:
        heard.append(epoch)
        return epoch.epoch == 2

    _, result = train(QUICK.model_copy(update={"epochs": 5}), on_epoch=stop_at_the_second)
    assert result.curve == tuple(heard)
    assert result.chosen_epoch == 2


class Bomb(nn.Module):
    """Turns its output into `value` in one step of training."""

    def __init__(self, step: int, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))
        self.steps_left, self.value = step, value

    def forward(self, images: Tensor) -> Tensor:
        self.steps_left -= self.training
        return images.mean(dim=(2, 3)) + self.weight * (self.value if self.steps_left == 0 else 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("step", [1, 3, 5])
def test_divergence_names_the_step_and_the_loss(step: int, value: float) -> None:
    bomb = Bomb(step, value)
    with pytest.raises(Diverged) as caught:
        train(model=bomb)
    assert caught.value.step == step
    assert not math.isfinite(caught.value.loss)
    assert (
        str(caught.value) == f"loss or weights are not finite at step {step} (loss={caught.value.loss:.6g})"
    )
    assert bomb.steps_left == 0  # nothing is computed after it


def test_a_last_update_that_breaks_the_weights_is_divergence_too() -> None:
    # One step of one epoch: the loss before it is finite, the weights after it are not.
    # A file may not ask for such a rate.
    spec = TrainSpec(epochs=1, batch_size=32, optimiser="sgd").model_copy(update={"lr": 1e38})
    with pytest.raises(Diverged) as caught:
        train(spec, model=nn.Sequential(nn.Flatten(), nn.Linear(48, 3)), data=make_data(brightness=1e3))
    assert caught.value.step == 1
    assert math.isfinite(caught.value.loss)


def test_training_moves_the_network_to_channels_last_only_when_asked() -> None:
    for channels_last in (False, True):
        model, _ = train(QUICK.model_copy(update={"channels_last": channels_last, "epochs": 1}))
        weight = model.stem[0].weight
        assert weight.is_contiguous(memory_format=torch.channels_last) == channels_last


def test_mixed_precision_keeps_parameters_in_float32_and_changes_the_result() -> None:
    runs = [train(QUICK.model_copy(update={"precision": p})) for p in ("fp32", "bf16", "fp16")]
    assert {p.dtype for model, _ in runs for p in model.parameters()} == {torch.float32}
    losses = [result.curve[-1].train_loss for _, result in runs]
    assert all(a != b for a, b in pairwise(losses))
    assert losses[1:] == pytest.approx([losses[0]] * 2, rel=0.05)

"""Estimates against sums by hand and against torch's own MemTracker."""

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

from msanet_bench.measure.hollow import hollow_copy
from msanet_bench.measure.memory import estimate
from msanet_bench.measure.memory.estimate import MemoryEstimate, estimate_memory
from msanet_bench.measure.memory.workload import classify, make_optimiser, train_step
from msanet_bench.model.build import build
from msanet_bench.spec import BlockSpec, ModelSpec

FLOAT = 4


def perceptron() -> nn.Module:
    """16 values to 8 to 4 classes: 128 + 32 weights and no bias."""
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8, bias=False), nn.ReLU(), nn.Linear(8, 4, bias=False))


IMAGE = (1, 4, 4)
WEIGHTS = (128 + 32) * FLOAT


def article(**changes: object) -> nn.Module:
    spec = ModelSpec.model_validate({"width": 0.125, "depth": (1, 1), **changes})
    return build(spec, num_classes=10)


def test_a_perceptron_takes_the_bytes_counted_by_hand() -> None:
    batch = 2
    images, hidden, logits = (batch * values * FLOAT for values in (16, 8, 4))
    # the ReLU's input is held by nobody else once its output is there, and logits come after it is gone
    inference = WEIGHTS + images + hidden + hidden
    # the first layer keeps the images, ReLU and second layer the same activations; weights do not count
    saved = images + hidden
    labels, state = batch * 8, 2 * WEIGHTS + 2 * FLOAT  # two moments a weight, two counts of steps
    # most is alive when the first weight's gradient is worked out: loss, the 1 that starts the backward
    # pass, the second weight's gradient, that of the hidden layer, and the first weight's
    training = WEIGHTS + images + labels + state + 2 * FLOAT + 32 * FLOAT + hidden + 128 * FLOAT
    assert logits < hidden
    assert estimate_memory(perceptron(), IMAGE, inference_batch=batch, train_batch=batch) == MemoryEstimate(
        saved, inference, training
    )


def test_a_batch_norm_saves_its_input_and_two_numbers_a_channel() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(48, 2))
    saved = estimate_memory(model, (3, 4, 4), train_batch=5).saved_bytes
    norm, linear = 5 * 48 * FLOAT + 2 * 3 * FLOAT, 5 * 48 * FLOAT
    assert saved == norm + linear


class Slices(nn.Module):
    """Keeps one column of a large map."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        wide = (x + 1).flatten(1)
        return (wide[:, :2] * self.weight).exp()


def test_a_saved_slice_keeps_all_of_its_storage() -> None:
    # the slice of 2 values keeps 16; the exponential keeps its 2
    assert estimate_memory(Slices(), IMAGE, train_batch=3).saved_bytes == 3 * 16 * FLOAT + 3 * 2 * FLOAT


def test_saved_bytes_are_those_of_a_real_pass() -> None:
    """A second implementation: real tensors, told apart by where they lie."""
    model = article().train()
    met: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        met[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(torch.randn(3, 3, 32, 32))
    own = {x.untyped_storage().data_ptr() for x in [*model.parameters(), *model.buffers()]}
    expected = sum(size for place, size in met.items() if place not in own)
    assert output.requires_grad  # so that all of it is still alive
    assert estimate_memory(model, (3, 32, 32), train_batch=3).saved_bytes == expected


def tracked_peaks(model: nn.Module, images: Tensor) -> tuple[int, int]:
    """Peaks by torch's private tracker, which a new version of torch may change or lose: then this fails."""
    labels = torch.zeros(len(images), dtype=torch.int64)
    optimiser = make_optimiser(model)
    train_step(model, optimiser, images, labels)
    peaks = []
    for held, work in (
        ((model, images), lambda: classify(model, images)),
        ((model, images, labels, optimiser), lambda: train_step(model, optimiser, images, labels)),
    ):
        tracker = MemTracker()
        tracker.track_external(*held)
        with tracker:
            work()
        (snapshot,) = tracker.get_tracker_snapshot("peak").values()
        peaks.append(snapshot["Total"])
    return peaks[0], peaks[1]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"attention": BlockSpec(block="none")},
        {"attention": BlockSpec(block="se"), "fusion": BlockSpec(block="sum")},
        {"stem": BlockSpec(block="small"), "width": 0.25},
    ],
)
def test_peaks_are_those_of_torchs_tracker(changes: dict[str, object]) -> None:
    model = article(**changes)
    with FakeTensorMode():
        expected = tracked_peaks(hollow_copy(model, "cpu"), torch.empty(4, 3, 32, 32))
    found = estimate_memory(model, (3, 32, 32), inference_batch=4, train_batch=4)
    assert (found.inference_peak_bytes, found.training_peak_bytes) == expected


def test_without_numbers_a_batch_of_any_size_is_estimated() -> None:
    """Images and activations of 1.5 TiB: 2 ** 34 times 96 bytes."""
    model = perceptron()
    found = estimate_memory(model, IMAGE, train_batch=2**34)
    assert found.saved_bytes == 2**34 * (16 + 8) * FLOAT


def test_the_network_is_not_touched() -> None:
    model = article().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.random.get_rng_state()
    estimate_memory(model, (3, 32, 32))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(state, torch.random.get_rng_state())


def test_tied_weights_are_held_once() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 16, bias=False), nn.Linear(16, 16, bias=False))
    apart = estimate_memory(model, IMAGE).inference_peak_bytes
    model[2].weight = model[1].weight
    tied = estimate_memory(model, IMAGE).inference_peak_bytes
    assert apart is not None
    assert tied == apart - 16 * 16 * FLOAT


class LooksAtNumbers(nn.Module):
    """Its output depends on numbers in a way that sizes cannot tell."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        positive = x.flatten(1)[x.flatten(1) > 0]
        return self.weight * positive.sum() * x.flatten(1)


class BranchesOnNumbers(LooksAtNumbers):
    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x.flatten(1) if x.sum().item() > 0 else x.flatten(1)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LooksAtNumbers(), "DynamicOutputShapeException"),
        (BranchesOnNumbers(), "DataDependentOutputException"),
    ],
)
def test_a_network_that_needs_numbers_gives_a_reason_and_no_number(model: nn.Module, name: str) -> None:
    found = estimate_memory(model, IMAGE)
    inference, training = found.status.split("; ")
    assert inference.startswith(f"inference not estimated ({name}: aten")
    assert training.startswith(f"training not estimated ({name}: aten")
    assert (found.saved_bytes, found.inference_peak_bytes, found.training_peak_bytes) == (None,) * 3


def test_a_frozen_network_has_no_step_of_training() -> None:
    model = perceptron().requires_grad_(requires_grad=False)
    found = estimate_memory(model, IMAGE)
    assert found.training_peak_bytes is None
    assert found.status == "training not estimated (no parameter is trainable)"
    assert found.saved_bytes == 0


class FailsInTraining(nn.Module):
    """What a plug-in may do."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            raise RuntimeError("planted\nsecond line")
        return self.weight * x.flatten(1)


def test_what_fails_in_training_has_its_other_number() -> None:
    found = estimate_memory(FailsInTraining(), IMAGE)
    # the weight; images; their product
    assert found == MemoryEstimate(
        None, FLOAT + 2 * 16 * FLOAT, None, "training not estimated (RuntimeError: planted)"
    )


def test_nothing_runs_in_training_where_a_reason_is_given() -> None:
    found = estimate_memory(FailsInTraining(), IMAGE, no_training="killed")
    assert found.inference_peak_bytes == FLOAT + 2 * 16 * FLOAT
    assert found.status == "training not estimated (killed)"


def test_each_kind_of_work_has_its_own_batch() -> None:
    found = estimate_memory(perceptron(), IMAGE, inference_batch=3, train_batch=5)
    alone = estimate_memory(perceptron(), IMAGE, inference_batch=5, train_batch=5)
    three = estimate_memory(perceptron(), IMAGE, inference_batch=3, train_batch=3)
    assert (found.saved_bytes, found.training_peak_bytes) == (
        alone.saved_bytes,
        alone.training_peak_bytes,
    )
    assert found.inference_peak_bytes == three.inference_peak_bytes == WEIGHTS + 3 * (16 + 8 + 8) * FLOAT


def test_the_optimisers_state_is_that_of_torch() -> None:
    model = article()
    optimiser = make_optimiser(model)
    train_step(model, optimiser, torch.randn(2, 3, 32, 32), torch.zeros(2, dtype=torch.int64))
    state = [x for entry in optimiser.state.values() for x in entry.values()]
    assert estimate._state_bytes(model) == sum(x.numel() * x.element_size() for x in state)


class Drops(nn.Module):
    """Keeps half of two branches: what is worked out and dropped may leave its place to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(3):
            (self.weight * x).exp()
        return (self.weight * x.flatten(1)).exp()


def test_what_is_saved_and_dropped_counts_each_time() -> None:
    # the images once; three exponentials that are dropped and one that is not
    assert estimate_memory(Drops(), IMAGE).saved_bytes == (1 + 3 + 1) * 16 * FLOAT

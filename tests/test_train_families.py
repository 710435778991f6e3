"""A step of training of every family that is named, on the smallest images that it takes; see `SMALLEST`."""

import pytest
import torch

from msanet_bench.model.build import start
from msanet_bench.spec import BlockSpec, ModelSpec, TrainSpec
from msanet_bench.train.step import prepare, take_step

# the side of the smallest square that each trains on: a patch, or what leaves a pixel for the last map
SMALLEST = {
    "msanet": 16,
    "resnet18": 1,
    "mobilenet_v3_small": 1,
    "efficientnet_b0": 1,
    "convnext_tiny": 32,
    "vit_b_16": 16,
}


@pytest.mark.parametrize("name", SMALLEST)
def test_one_step_changes_every_parameter_that_has_a_gradient(name: str) -> None:
    spec = TrainSpec(epochs=1, batch_size=2, lr=1e-2)
    side = SMALLEST[name]
    model = start(ModelSpec(model=BlockSpec(block=name)), 0, num_classes=3, size=(side, side))
    before = {path: parameter.detach().clone() for path, parameter in model.named_parameters()}
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    loss = take_step(prepare(model.train(), spec), images, torch.tensor([0, 1]), spec.lr)
    assert loss.isfinite()
    for path, parameter in model.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.isfinite().all(), path
        assert not torch.equal(parameter, before[path]) or not parameter.grad.any(), path

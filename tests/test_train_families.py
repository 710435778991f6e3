"""A step of training of every family that is registered, on the smallest images that it takes."""

import pytest
import torch

from catalogs import own_catalog
from msanet_bench.errors import BlockError
from msanet_bench.model.build import build, start
from msanet_bench.spec import BlockSpec, ModelSpec, TrainSpec
from msanet_bench.train.step import prepare, take_step

# the side of the smallest square: of a patch, of the stem, of five halvings with 2 x 2, or of one pixel
SMALLEST = {
    "convnext_tiny": 32,
    "efficientnet_b0": 1,
    "mobilenet_v3_small": 1,
    "msanet": 16,
    "resnet18": 1,
    "vit_b_16": 16,
}


def spec_of(name: str) -> ModelSpec:
    return ModelSpec(model=BlockSpec(block=name))


def test_no_family_is_left_out() -> None:
    assert list(own_catalog()["model"]) == list(SMALLEST)


@pytest.mark.parametrize("name", SMALLEST)
def test_one_step_changes_every_parameter_that_has_a_gradient(name: str) -> None:
    train, side = TrainSpec(epochs=1, batch_size=2, lr=1e-2), SMALLEST[name]
    model = start(spec_of(name), 0, num_classes=3, size=(side, side))
    before = {path: parameter.detach().clone() for path, parameter in model.named_parameters()}
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    loss = take_step(prepare(model.train(), train), images, torch.tensor([0, 1]), train.lr)
    assert loss.isfinite()
    for path, parameter in model.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.isfinite().all(), path
        assert not torch.equal(parameter, before[path]) or not parameter.grad.any(), path


@pytest.mark.parametrize("name", [name for name, side in SMALLEST.items() if side > 1])
def test_one_pixel_less_is_refused(name: str) -> None:
    side = SMALLEST[name] - 1
    with pytest.raises((BlockError, RuntimeError, ValueError)), torch.device("meta"), torch.no_grad():
        build(spec_of(name), num_classes=3, size=(side, side))(torch.empty(2, 3, side, side))

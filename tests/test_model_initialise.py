import hashlib
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.model.build import build
from msanet_bench.model.initialise import initialise
from msanet_bench.spec import ARTICLE_BRANCHES, BlockSpec, BranchSpec, ModelSpec

THIN: Mapping[str, Any] = {"width": 0.125, "depth": (2, 1, 1), "stem": BlockSpec(block="small")}
WITHOUT_CONV5 = {**ARTICLE_BRANCHES, "conv5": BranchSpec(block="conv", options={"kernel": 5}, on=False)}
VARIANTS: Mapping[str, ModelSpec] = {
    "attention=none": ModelSpec(**THIN, attention=BlockSpec(block="none")),
    "attention=eca": ModelSpec(**THIN, attention=BlockSpec(block="eca")),
    "branches.conv5=off": ModelSpec(**THIN, branches=WITHOUT_CONV5),
    "branches.conv5=off, shared": ModelSpec(**THIN, branches=WITHOUT_CONV5, branch_width="shared"),
    "fusion=sum": ModelSpec(**THIN, fusion=BlockSpec(block="sum")),
    "depth": ModelSpec(**{**THIN, "depth": (3, 2, 1)}),
    "stem=imagenet": ModelSpec(**{**THIN, "stem": BlockSpec(block="imagenet")}),
}


def _started(spec: ModelSpec, seed: int) -> dict[str, Tensor]:
    model = build(spec, num_classes=10)
    initialise(model, seed)
    return model.state_dict()


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_of_one_seed_start_identical_where_they_can(variant: str) -> None:
    baseline, changed = _started(ModelSpec(**THIN), 3), _started(VARIANTS[variant], 3)
    shared = [name for name in baseline if name in changed and baseline[name].shape == changed[name].shape]
    assert len(shared) > 50
    assert len(shared) < max(len(baseline), len(changed))
    assert [name for name in shared if not torch.equal(baseline[name], changed[name])] == []


def test_stock_initialisation_does_not_pair_variants() -> None:
    def stock(spec: ModelSpec) -> dict[str, Tensor]:
        torch.manual_seed(3)
        return build(spec, num_classes=10).state_dict()

    baseline, changed = stock(ModelSpec(**THIN)), stock(VARIANTS["branches.conv5=off"])
    name = "stages.2.downsample.conv.weight"
    assert not torch.equal(baseline[name], changed[name])


def test_stock_biases_would_differ_between_fusions_of_one_shape() -> None:
    """Twin: 16 channels fused from 16 or from 4 have biases of one shape, drawn from different ranges."""

    def bias(in_channels: int) -> Tensor:
        torch.manual_seed(0)
        conv = nn.Conv2d(in_channels, 16, 1)
        torch.manual_seed(0)
        conv.reset_parameters()
        return conv.bias

    assert not torch.equal(bias(16), bias(4))


def test_different_seeds_give_different_weights() -> None:
    first, second = _started(ModelSpec(**THIN), 0), _started(ModelSpec(**THIN), 1)
    weights = [name for name in first if name.endswith("weight") and first[name].dim() > 1]
    assert weights
    assert not any(torch.equal(first[name], second[name]) for name in weights)


def test_two_parameters_of_one_shape_differ() -> None:
    start = _started(ModelSpec(**THIN), 0)
    first = start["stages.0.blocks.0.attention.query.weight"]
    assert not torch.equal(first, start["stages.0.blocks.0.attention.key.weight"])
    assert not torch.equal(first, start["stages.0.blocks.1.attention.query.weight"])


def test_the_value_does_not_depend_on_what_was_there() -> None:
    model = build(ModelSpec(**THIN), num_classes=10)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    initialise(model, 0)
    start = _started(ModelSpec(**THIN), 0)
    assert all(torch.equal(value, start[name]) for name, value in model.state_dict().items())


def test_weights_have_the_spread_of_torchs_own_rule() -> None:
    model = build(ModelSpec(), num_classes=10)
    initialise(model, 0)
    # Kaiming uniform with a = sqrt(5): bound 1 / sqrt(fan in), here 256 inputs of 3 x 3
    weight = model.get_parameter("stages.2.downsample.conv.weight")
    bound = (256 * 9) ** -0.5
    assert weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=1e-2)


def test_biases_and_gamma_start_at_zero_and_norms_at_one() -> None:
    start = _started(ModelSpec(**THIN), 0)
    biases = [name for name in start if name.endswith((".bias", "gamma"))]
    assert biases
    assert all(not start[name].any() for name in biases)
    assert all((start[name] == 1).all() for name in start if name.endswith("norm.weight"))


def test_the_random_state_of_the_caller_is_left_alone() -> None:
    model = nn.Linear(3, 4)
    before = torch.random.get_rng_state()
    initialise(model, 0)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_model_on_the_meta_device_is_accepted() -> None:
    with torch.device("meta"):
        model = build(ModelSpec(), num_classes=10)
    initialise(model, 0)
    assert all(parameter.is_meta for parameter in model.parameters())


class Plugged(nn.Module):
    """What plug-ins do: draw in the constructor, hold a layer that resets otherwise, extend one."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(6, 4, 4))
        self.shift = nn.Parameter(torch.randn(6))
        self.scale = nn.Parameter(torch.full((6,), 1e-4))
        self.steps = nn.Parameter(torch.arange(3), requires_grad=False)
        self.mix = nn.MultiheadAttention(8, 2)
        self.extended = ExtendedLinear()


class ExtendedLinear(nn.Linear):
    def __init__(self, in_features: int = 5) -> None:
        super().__init__(in_features, 7)
        self.noise = nn.Parameter(torch.randn(7, 5))


def _plugged(history: int, seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(history)
    module = Plugged()
    initialise(module, seed)
    return module.state_dict()


def test_what_a_constructor_drew_depends_on_the_seed_and_not_on_what_was_drawn_before() -> None:
    first, again, other = _plugged(1), _plugged(2), _plugged(1, seed=1)
    assert [name for name in first if not torch.equal(first[name], again[name])] == []
    assert {name for name in first if not torch.equal(first[name], other[name])} == {
        "table",
        "shift",
        "mix.in_proj_weight",
        "mix.out_proj.weight",
        "extended.weight",
        "extended.noise",
    }


def test_what_a_subclass_adds_does_not_depend_on_what_it_extends() -> None:
    narrow, wide = ExtendedLinear(5), ExtendedLinear(9)
    initialise(narrow, 0)
    initialise(wide, 0)
    assert torch.equal(narrow.noise, wide.noise)


def test_what_is_drawn_in_place_of_a_constructor_lies_within_its_fan_in() -> None:
    start = _plugged(0)
    for name, bound in (("table", 1 / 4), ("shift", 1.0), ("mix.in_proj_weight", 8**-0.5)):
        assert start[name].abs().max() <= bound
        assert start[name].abs().max() > bound / 2
        assert start[name].min() < 0 < start[name].max()


def test_a_constant_start_is_kept_and_so_are_whole_numbers() -> None:
    start = _plugged(0)
    assert torch.equal(start["scale"], torch.full((6,), 1e-4))
    assert torch.equal(start["mix.in_proj_bias"], torch.zeros(24))
    assert start["steps"].tolist() == [0, 1, 2]


def test_the_starts_of_committed_results_are_those_of_today() -> None:
    """The hash was taken when the results were trained; a change here makes them irreproducible."""
    model = build(ModelSpec(), num_classes=10)
    initialise(model, 0)
    sha = hashlib.sha256()
    for name, value in model.state_dict().items():
        sha.update(name.encode() + value.numpy().tobytes())
    assert sha.hexdigest()[:16] == "ca03b09985bd2e81"

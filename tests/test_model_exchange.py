"""Norms and activations that take the place of those that blocks build; blocks of issue 6 by second means."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from catalogs import own_catalog
from msanet_bench.measure.macs import count_macs
from msanet_bench.measure.receptive_field import EXACT, theoretical_field
from msanet_bench.model import fused as fused_module
from msanet_bench.model.branches.asymmetric import Asymmetric
from msanet_bench.model.branches.conv import Conv
from msanet_bench.model.branches.depthwise_separable import DepthwiseSeparable
from msanet_bench.model.branches.identity import Identity
from msanet_bench.model.branches.pyramid_pool import PyramidPool
from msanet_bench.model.build import build
from msanet_bench.model.fused import TOLERANCE, MergedMultiScaleBlock, fuse
from msanet_bench.model.heads.gem import GeM
from msanet_bench.model.initialise import initialise
from msanet_bench.model.msanet import MultiScaleBlock
from msanet_bench.model.norm import GroupNorm, LayerNorm
from msanet_bench.model.slots import ACTIVATIONS, ATTENTION
from msanet_bench.overlay import Settings, changed
from msanet_bench.plan import cell_key
from msanet_bench.spec import BlockSpec, ModelSpec

CATALOG = own_catalog()


def network(**changes: BlockSpec) -> nn.Module:
    model = build(ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1,), **changes), num_classes=4)
    initialise(model, 0)
    return model.eval()


class Normed(nn.Module):
    """What a plug-in builds with torch's own modules."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm, self.activation = nn.BatchNorm2d(channels), nn.ReLU()
        self.gate = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        gated: Tensor = self.gate(self.activation(self.norm(x)))
        return x * gated


def image(channels: int = 3) -> Tensor:
    return torch.randn(2, channels, 9, 8, generator=torch.Generator().manual_seed(0))


def test_a_network_that_keeps_the_default_keeps_the_key_that_it_had_before_there_was_a_choice() -> None:
    assert cell_key(Settings(), 0, "d", CATALOG) == "f4b87387db6507de"
    assert cell_key(changed(Settings(), "norm", "batch"), 0, "d", CATALOG) == "f4b87387db6507de"
    assert cell_key(changed(Settings(), "norm", "group"), 0, "d", CATALOG) != "f4b87387db6507de"


@pytest.mark.parametrize("slot", ["norm", "activation"])
def test_every_norm_and_activation_counts_fuses_and_is_seen_through(slot: str) -> None:
    for name in CATALOG[slot]:
        model = network(**{slot: BlockSpec(block=name)})
        assert count_macs(model, (3, 16, 16)).status == "exact", name
        assert theoretical_field(model, (3, 16, 16)).status == EXACT, name
        with torch.no_grad():
            torch.testing.assert_close(fuse(model, image())(image()), model(image()), rtol=1e-4, atol=1e-5)


def test_no_batch_norm_and_no_relu_is_left() -> None:
    model = network(norm=BlockSpec(block="layer"), activation=BlockSpec(block="gelu"))
    assert not [m for m in model.modules() if isinstance(m, nn.BatchNorm2d | nn.ReLU)]
    assert [m for m in network().modules() if isinstance(m, nn.BatchNorm2d)]


def test_what_a_plugin_builds_is_exchanged_too_and_its_other_modules_stay() -> None:
    ATTENTION.register("normed")(Normed)
    normed = BlockSpec(block="normed")
    for changes, kinds in (
        ({}, (nn.BatchNorm2d, nn.ReLU)),
        ({"norm": BlockSpec(block="group"), "activation": BlockSpec(block="silu")}, (GroupNorm, nn.SiLU)),
    ):
        block = network(attention=normed, **changes).get_submodule("stages.0.blocks.0.attention")
        assert (type(block.norm), type(block.activation)) == kinds
        assert [type(module) for module in block.get_submodule("gate").children()] == [nn.Conv2d, nn.Sigmoid]


class Sloped(nn.PReLU):
    """A ReLU that learns its slope below 0."""

    def __init__(self) -> None:
        super().__init__()


def with_slopes() -> nn.Module:
    """The article's branches, each with a slope of its own, and norms that do something."""
    ACTIVATIONS.register("sloped")(Sloped)
    model = network(activation=BlockSpec(block="sloped")).double()
    slopes = [module.weight for module in model.modules() if isinstance(module, Sloped)]
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for slope, value in zip(slopes, torch.linspace(0.1, 0.9, len(slopes)), strict=True):
        nn.init.constant_(slope, value.item())
    for norm in norms:
        nn.init.constant_(norm.running_mean, 0.3)
        nn.init.constant_(norm.weight, 2.0)
    return model


def test_activations_that_learn_are_kept_and_their_branches_are_not_merged() -> None:
    model, x = with_slopes(), image().double()
    fused = fuse(model, x)
    with torch.no_grad():
        torch.testing.assert_close(fused(x), model(x), rtol=0, atol=TOLERANCE * model(x).abs().max().item())
    assert not [m for m in fused.modules() if isinstance(m, nn.BatchNorm2d | MergedMultiScaleBlock)]
    plain = fuse(network(), image())
    assert [m for m in plain.modules() if isinstance(m, MergedMultiScaleBlock)]


def test_branches_with_unlike_slopes_that_were_merged_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(block: MultiScaleBlock) -> Mapping[str, nn.Conv2d]:
        return {name: branch.conv for name, branch in block.branches.items() if isinstance(branch, Conv)}

    monkeypatch.setattr(fused_module, "mergeable", careless)
    with pytest.raises(ValueError, match="a fused network must give the same outputs"):
        fuse(with_slopes(), image().double())


@pytest.mark.parametrize(("channels", "size", "groups"), [(4, 16, 1), (64, 16, 4), (20, 8, 2), (17, 2, 1)])
def test_groups_divide_the_channels(channels: int, size: int, groups: int) -> None:
    assert GroupNorm(channels, channels_per_group=size).num_groups == groups


def test_a_layer_norm_is_worked_out_at_each_position() -> None:
    x = image(5)
    mean, variance = x.mean(dim=1, keepdim=True), x.var(dim=1, keepdim=True, correction=0)
    torch.testing.assert_close(LayerNorm(5)(x), (x - mean) / (variance + 1e-5).sqrt())


def test_asymmetric_kernels_of_one_filter_are_their_outer_product() -> None:
    branch = Asymmetric(1, 1, kernel=3).eval()
    square, x = Conv(1, 1, kernel=3).eval(), image(1).abs()
    with torch.no_grad():
        for convolution in (branch.row, branch.column, square.conv):
            convolution.weight.abs_()
            nn.init.zeros_(convolution.bias)
        square.conv.weight.copy_(branch.column.weight * branch.row.weight)
        torch.testing.assert_close(branch(x), square(x), rtol=2e-5, atol=0)


def test_depthwise_separable_filters_each_channel_and_then_mixes() -> None:
    branch, x = DepthwiseSeparable(3, 2).eval(), image()
    each = [
        nn.functional.conv2d(x[:, [c]], branch.depthwise.weight[[c]], branch.depthwise.bias[[c]], padding=1)
        for c in range(3)
    ]
    filtered = branch.depthwise_norm(torch.cat(each, dim=1)).clamp(min=0)
    mixed = torch.einsum("oc,nchw->nohw", branch.pointwise.weight[:, :, 0, 0], filtered)
    mixed = mixed + branch.pointwise.bias[:, None, None]
    torch.testing.assert_close(branch(x), branch.norm(mixed).clamp(min=0))


def test_identity_passes_its_first_channels_on() -> None:
    assert torch.equal(Identity(3, 2)(image()), image()[:, :2])
    with pytest.raises(ValueError, match="must not have more channels out than in"):
        Identity(2, 3)


@pytest.mark.parametrize("p", [1.0, 60.0])
def test_gem_goes_from_the_mean_to_the_maximum(p: float) -> None:
    head, x = GeM(3, 8, 4, p=p).double(), image().double().abs()
    pooled = x.mean(dim=(2, 3)) if p == 1 else x.amax(dim=(2, 3))
    rtol = 1e-6 if p == 1 else 0.1
    with torch.no_grad():
        nn.init.ones_(head.classifier.weight)
        nn.init.zeros_(head.classifier.bias)
        torch.testing.assert_close(head(x)[:, 0], pooled.sum(dim=1), rtol=rtol, atol=0)


def test_the_pyramid_of_a_2_by_2_level_is_worked_out_by_quadrants() -> None:
    branch, x = PyramidPool(3, 2, bins=(2,)).eval(), image()[:, :, :8]
    (level,) = branch.levels
    rows = [torch.stack([x[:, :, i : i + 4, j : j + 4].mean(dim=(2, 3)) for j in (0, 4)], -1) for i in (0, 4)]
    _, conv, norm, relu = level
    pooled = relu(norm(conv(torch.stack(rows, dim=2))))
    # halfway between bin centres at 1.5 and 5.5: weights by distance, clamped at the border
    share = ((torch.arange(8) - 1.5) / 4).clamp(0, 1)
    weight = torch.stack((1 - share, share))
    resized = torch.einsum("nrab,ah,bw->nrhw", pooled, weight, weight)
    wanted = branch.norm(branch.conv(torch.cat((x, resized), dim=1))).clamp(min=0)
    torch.testing.assert_close(branch(x), wanted)

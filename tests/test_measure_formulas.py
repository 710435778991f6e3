from collections.abc import Iterator, Mapping

import pytest
import torch
from torch import Tensor, nn

from catalogs import own_catalog
from experiments import COMMITTED
from msanet_bench.checks import catalog, load_experiment
from msanet_bench.measure.formulas import classes_without_formula, evaluate_formulas, has_formula
from msanet_bench.measure.macs import count_macs
from msanet_bench.model.attention.axial import AxialAttention
from msanet_bench.model.attention.cbam import CBAM
from msanet_bench.model.attention.coordinate import CoordinateAttention
from msanet_bench.model.attention.eca import ECA
from msanet_bench.model.attention.linear import LinearAttention
from msanet_bench.model.attention.none import NoAttention
from msanet_bench.model.attention.se import SqueezeExcitation
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.attention.simam import SimAM
from msanet_bench.model.attention.window import WindowAttention
from msanet_bench.model.branches.conv import Conv
from msanet_bench.model.branches.depthwise import Depthwise
from msanet_bench.model.branches.global_context import GlobalContext
from msanet_bench.model.branches.max_pool import MaxPool
from msanet_bench.model.build import build
from msanet_bench.model.catalogue import SLOTS
from msanet_bench.model.fusion.addition import Sum
from msanet_bench.model.fusion.concat import Concat
from msanet_bench.model.heads.mlp import MLP
from msanet_bench.model.msanet import Downsample
from msanet_bench.model.stems.imagenet import Imagenet
from msanet_bench.model.stems.small import Small
from msanet_bench.plan import Variant, enumerate_variants

# channels and side of the images of each data set that an experiment may name, and its classes
IMAGES = {
    "digits": (1, 8, 10),
    "fashion_mnist": (1, 28, 10),
    "cifar10": (3, 32, 10),
    # of any size: one at which full networks are counted quickly
    "image_folder": (3, 32, 10),
}

# two maps of 7 x 9 with 16 channels: 126 positions; each sum is outputs x MACs for one of them
MAP = (2, 16, 7, 9)
ON_PAPER = {
    "small": (Small(16, 8), 126 * 8 * 16 * 9),
    "imagenet": (Imagenet(16, 8), (2 * 4 * 5) * 8 * 16 * 49),
    "conv": (Conv(16, 4, kernel=5, dilation=2), 126 * 4 * 16 * 25),
    "depthwise": (Depthwise(16, 4, kernel=5), 126 * 4 * 16 + 126 * 4 * 25),
    "global_context": (GlobalContext(16, 4), 2 * 4 * 16),
    "max_pool": (MaxPool(16, 4, kernel=5), 126 * 4 * 16),
    "self_attention": (SelfAttention(16, reduction=8), 126 * 16 * (2 + 2 + 16) + 2 * 63 * 63 * (2 + 16)),
    "self_attention, heads and pooled": (
        SelfAttention(16, reduction=4, heads=2, pool=2),
        126 * 16 * (4 + 4 + 16) + 2 * 63 * (4 * 5) * (4 + 16),
    ),
    "linear": (LinearAttention(16), 126 * 16 * (2 + 2 + 16) + 126 * (16 * 2 + 16 * 2 + 2)),
    # 2 x 2 windows of 5 x 5 each
    "window": (WindowAttention(16, window=5), 126 * 16 * 20 + 2 * 4 * 25 * 25 * (2 + 16)),
    "axial": (AxialAttention(16), 2 * 126 * 16 * 20 + 126 * (7 + 9) * (2 + 16)),
    "cbam": (CBAM(16, reduction=4), 2 * 2 * (16 * 4 + 4 * 16) + 126 * 2 * 49),
    "coordinate": (CoordinateAttention(16), 2 * (7 + 9) * (16 * 8 + 8 * 16)),
    "simam": (SimAM(16), 0),
    "se": (SqueezeExcitation(16, reduction=4), 2 * (16 * 4 + 4 * 16)),
    "eca": (ECA(16), 2 * 16 * 3),
    "none": (NoAttention(16), 0),
    "mlp": (MLP(16, 32, 5), 2 * (16 * 32 + 32 * 5)),
    "downsample": (Downsample(16, 8, stride=2, min_map=2), (2 * 4 * 5) * 8 * 16 * 9),
    "downsample, at the limit": (Downsample(16, 8, stride=2, min_map=5), 126 * 8 * 16 * 9),
}


@pytest.mark.parametrize("name", ON_PAPER)
def test_a_formula_gives_what_the_sum_on_paper_says(name: str) -> None:
    block, expected = ON_PAPER[name]
    assert evaluate_formulas(block.eval(), torch.zeros(MAP))[""] == expected


@pytest.mark.parametrize(("fusion", "channels"), [(Concat, 2 + 4 + 3), (Sum, 4)])
def test_a_fusion_costs_its_projection(fusion: type[nn.Module], channels: int) -> None:
    shapes = [(2, width, 7, 9) for width in (2, 4, 3)]
    assert fusion((2, 4, 3), 8).macs(shapes) == 126 * 8 * channels


def test_the_parts_of_self_attention_are_told_apart() -> None:
    by_module = evaluate_formulas(nn.Sequential(SelfAttention(16)), torch.zeros(MAP))
    narrow, core = 126 * 16 * 2, 2 * 63 * 63 * (2 + 16)
    assert by_module == {
        "0": 2 * narrow + 126 * 16 * 16 + core,
        "0.query": narrow,
        "0.key": narrow,
        "0.value": 126 * 16 * 16,
        "0.core": core,
    }


def test_every_block_of_ours_has_a_formula() -> None:
    own = own_catalog()
    missing = [
        f"{slot} {name}"
        for slot in SLOTS
        if slot not in {"norm", "activation"}
        for name in own[slot]
        if not has_formula(own[slot][name])
    ]
    assert missing == []


def test_a_block_that_is_used_twice_costs_twice() -> None:
    shared = Conv(16, 16)
    assert evaluate_formulas(nn.Sequential(shared, shared).eval(), torch.zeros(MAP)) == {
        "0": 2 * 126 * 16 * 16 * 9
    }


class Plugged(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Conv2d(16, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.gate(x))


class Product(nn.Module):
    """Multiplies without parameters."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ x.transpose(2, 3)


def test_the_outermost_class_without_a_formula_is_named() -> None:
    ours = Conv(16, 16)
    name = f"{__name__}.Plugged"
    for network in (Plugged(), nn.Sequential(ours, Plugged()), nn.Sequential(nn.Sequential(Plugged()), ours)):
        assert _missing(network) == (name,)
    assert _missing(nn.Sequential(ours, nn.ReLU(), ours)) == ()


def _missing(network: nn.Module, *working: str) -> tuple[str, ...]:
    evaluated = evaluate_formulas(network.eval(), torch.zeros(MAP))
    return classes_without_formula(network, evaluated.keys(), working)


class Aside(nn.Module):
    """Does not call a block but its method, so that nobody hears of it."""

    def __init__(self) -> None:
        super().__init__()
        self.block = Conv(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.block.forward(x)


def test_a_formula_that_was_not_asked_is_missing_too() -> None:
    assert _missing(Aside()) == (f"{__name__}.Aside",)
    assert count_macs(Aside(), MAP[1:]).sources == ("fvcore", "FlopCounterMode")


def test_what_multiplies_without_parameters_needs_a_formula_too() -> None:
    network = nn.Sequential(Conv(16, 16), Product())
    assert _missing(network, "1") == (f"{__name__}.Product",)
    counted = count_macs(network, MAP[1:])
    assert counted.status == f"exact by two counters: no formula for {__name__}.Product"


def _variants() -> Iterator[tuple[str, Variant]]:
    for file in COMMITTED:
        # `ablation` and `dilation` have its parts, and test_published.py what was counted of it
        if file.stem == "fashion_mnist":
            continue
        for variant in enumerate_variants(load_experiment(file), catalog()):
            # networks of others have no formulas: test_model_families.py holds them to published numbers
            if variant.settings.model.model.block == "msanet":
                yield f"{file.stem}: {variant.name}", variant


VARIANTS: Mapping[str, Variant] = dict(_variants())


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_of_every_experiment_is_counted_alike_by_three_sources(name: str) -> None:
    settings = VARIANTS[name].settings
    channels, side, classes = IMAGES[settings.data.dataset]
    side = settings.data.resize or side
    network = build(settings.model, num_classes=classes, in_channels=channels)
    one, two = (count_macs(network, (channels, side, side), batch=batch) for batch in (1, 2))
    odd = count_macs(network, (channels, side + 1, side + 5))
    for counted in (one, two, odd):
        assert counted.status == "exact"
        assert counted.sources == ("fvcore", "FlopCounterMode", "formulas")
        assert sum(counted.by_part.values()) == counted.total
    assert two.total == 2 * one.total
    assert two.by_part == {part: 2 * amount for part, amount in one.by_part.items()}

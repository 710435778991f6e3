"""Whole networks, against published tables and against sums of their definitions."""

from collections import Counter

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights, resnet18

from msanet_bench.measure.macs import count_macs
from msanet_bench.measure.params import params
from msanet_bench.model.build import build
from msanet_bench.spec import ModelSpec


class TinyVit(nn.Module):
    """As timm's vit_tiny_patch16_224: 12 layers of width 192, over 196 patches and a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 192, 16, stride=16)
        self.token = nn.Parameter(torch.zeros(1, 1, 192))
        layers = [nn.TransformerEncoderLayer(192, 3, 768, batch_first=True) for _ in range(12)]
        self.layers = nn.Sequential(*layers, nn.LayerNorm(192))
        self.head = nn.Linear(192, 1000)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(patches), -1, -1), patches], dim=1)
        return self.head(self.layers(tokens)[:, 0])


def test_a_tiny_vision_transformer_costs_what_was_published() -> None:
    # timm's tables come from stock fvcore, which adds 5 for each element of a norm: 1.26 GMAC where attention
    # was written out, and 1.08 where it was fused and went uncounted.
    counted = count_macs(TinyVit(), (3, 224, 224))
    core, norms = 2 * 197**2 * 192, 25 * 5 * 197 * 192
    layer = 4 * 197 * 192**2 + core + 2 * 197 * 192 * 768
    assert counted.total == 196 * 192 * 768 + 12 * layer + 192 * 1000
    assert counted.is_exact, counted.status
    assert f"{(counted.total + norms) / 1e9:.2f}" == "1.26"
    assert counted.flops_fvcore_stock == counted.total + norms - 12 * core
    assert f"{counted.flops_fvcore_stock / 1e9:.2f}" == "1.08"


# torchvision's tables of parameters and of multiply-accumulates in billions stand beside its weights;
# `test_model_families.py` holds the larger networks to them
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_a_network_from_elsewhere_costs_what_was_published(name: str) -> None:
    published = get_model_weights(name)["IMAGENET1K_V1"].meta
    model = get_model(name)
    counted = count_macs(model, (3, 224, 224))
    assert params(model) == published["num_params"]
    assert f"{counted.total / 1e9:.3f}" == f"{published['_ops']:.3f}"
    assert counted.sources == ("fvcore", "FlopCounterMode")
    assert counted.status == f"exact by two counters: no formula for {_class_of(model)}"


def _class_of(model: nn.Module) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"


def test_a_residual_network_costs_what_its_table_says_to_the_last_unit() -> None:
    # He et al. 2016, table 1, 18 layers at 224 x 224: a 7x7 convolution, four stages of two blocks of two 3x3
    # convolutions, the first of stages 2 to 4 strided and with a 1x1 projection, and the classifier.
    expected = 112**2 * 64 * 3 * 49 + 512 * 1000
    for side, channels, before in ((56, 64, 64), (28, 128, 64), (14, 256, 128), (7, 512, 256)):
        projection = 0 if before == channels else channels * before
        expected += side**2 * (9 * channels * before + 3 * 9 * channels**2 + projection)
    assert count_macs(resnet18(), (3, 224, 224)).total == expected


def test_the_articles_network_costs_what_its_definition_says() -> None:
    # At 64 x 64 the stem leaves 16 x 16; each stage halves the side and doubles the channels.
    expected = {"stem": 32 * 32 * 64 * 3 * 49, "head": 512 * 256 + 256 * 10}
    totals: Counter[str] = Counter()
    for side, channels, blocks in ((8, 128, 2), (4, 256, 3), (2, 512, 3)):
        positions, quarter = side * side, channels // 4
        totals["downsample"] += positions * channels * (channels // 2) * 9
        totals["branches.conv3"] += blocks * positions * quarter * channels * 9
        totals["branches.conv5"] += blocks * positions * quarter * channels * 25
        totals["branches.context"] += blocks * quarter * channels
        totals["fusion"] += blocks * positions * channels * channels
        totals["attention.query"] += blocks * positions * channels * channels // 8
        totals["attention.key"] += blocks * positions * channels * channels // 8
        totals["attention.value"] += blocks * positions * channels * channels
        totals["attention.core"] += blocks * positions**2 * (channels // 8 + channels)
    expected |= totals | {"branches.dilated": totals["branches.conv3"]}
    counted = count_macs(build(ModelSpec(), num_classes=10), (3, 64, 64))
    assert counted.by_part == expected
    assert (counted.total, counted.status) == (sum(expected.values()), "exact")
    assert counted.sources == ("fvcore", "FlopCounterMode", "formulas")

import pytest
import torch
from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet18

from msanet_bench.measure import trace as module
from msanet_bench.measure.macs import count
from msanet_bench.measure.trace import trace
from msanet_bench.model.attention.dot_product import use_attention
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.build import build
from msanet_bench.spec import ModelSpec

IMAGES = torch.zeros(1, 3, 64, 64)


class Fused(nn.Module):
    """Attention as one call."""

    def forward(self, images: Tensor) -> Tensor:
        rows = images.flatten(2)
        return functional.scaled_dot_product_attention(rows, rows, rows)


class Explicit(nn.Module):
    """The same as two products."""

    def forward(self, images: Tensor) -> Tensor:
        rows = images.flatten(2)
        return (rows @ rows.transpose(1, 2) / rows.shape[2] ** 0.5).softmax(dim=2) @ rows


NETWORKS = {
    "resnet18": resnet18(),
    "msanet": build(ModelSpec(), num_classes=10),
    "same padding, norms, resizing": nn.Sequential(
        nn.Conv2d(3, 4, 3, padding="same"), nn.GroupNorm(2, 4), nn.Upsample(scale_factor=2), nn.GELU()
    ),
    "fused attention": Fused(),
    "explicit attention": Explicit(),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_stock_numbers_are_those_of_fvcore_itself(name: str) -> None:
    network = NETWORKS[name].eval()
    ours = trace(network, IMAGES)
    stock = FlopCountAnalysis(network, IMAGES), ActivationCountAnalysis(network, IMAGES)
    for analysis in stock:
        analysis.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
    assert (ours.stock_flops, ours.stock_activations) == tuple(analysis.total() for analysis in stock)


def test_the_modules_sums_are_those_of_their_descendants() -> None:
    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), nn.Conv2d(4, 5, 1))
    first, second = 64 * 64 * 4 * 3, 64 * 64 * 5 * 4
    traced = trace(network, IMAGES).macs
    assert traced == {"": first + second, "0": first, "0.0": first, "0.1": 0, "1": second}


def test_activations_are_the_outputs_of_products() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding="same"),  # 64 x 64 x 4, which fvcore as it comes misses
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 8, 3, stride=2, padding=1),  # 32 x 32 x 8
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    ).eval()
    traced = trace(network, IMAGES)
    assert traced.activations == 64 * 64 * 4 + 32 * 32 * 8 + 5
    assert traced.stock_activations == 32 * 32 * 8 + 5


def test_a_residual_network_has_the_activations_of_its_table() -> None:
    # He et al. 2016, table 1, 18 layers at 224 x 224: maps of 112, 56, 28, 14 and 7, four 3x3 convolutions a
    # stage and a projection in all but the first. timm's table: 2.48 million.
    stages = ((56, 64, 4), (28, 128, 5), (14, 256, 5), (7, 512, 5))
    expected = 112**2 * 64 + sum(side**2 * width * convs for side, width, convs in stages) + 1000
    assert trace(resnet18().eval(), torch.zeros(1, 3, 224, 224)).activations == expected
    assert f"{expected / 1e6:.2f}" == "2.48"


def test_fused_and_explicit_attention_have_the_same_macs_and_activations() -> None:
    fused, explicit = trace(Fused(), IMAGES), trace(Explicit(), IMAGES)
    # three rows of 4096: weights 3 x 3, output 3 x 4096
    assert (fused.activations, fused.macs[""]) == (9 + 3 * 4096, 2 * 9 * 4096)
    assert (explicit.activations, explicit.macs[""]) == (fused.activations, fused.macs[""])
    assert (fused.stock_activations, fused.stock_flops) == (0, 0)
    assert (explicit.stock_activations, explicit.stock_flops) == (fused.activations, fused.macs[""])


def test_the_implementation_of_attention_changes_no_activation() -> None:
    counts = {}
    for implementation in ("explicit", "sdpa"):
        network = SelfAttention(16, reduction=8)
        use_attention(network, implementation)
        counts[implementation] = count(network, (16, 7, 9))
    assert counts["explicit"].activations == counts["sdpa"].activations == 63 * (2 + 2 + 16) + 63 * (63 + 16)
    assert counts["sdpa"].activations_fvcore_stock == 63 * (2 + 2 + 16)
    # the fused form multiplies zeros too: query and key are filled up from 2 channels to 16
    explicit, fused = (counts[name].macs for name in ("explicit", "sdpa"))
    assert (explicit.status, fused.status) == ("exact", "exact")
    assert fused.total - explicit.total == 63 * 63 * (16 - 2)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.LSTM(64, 8, batch_first=True)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images.flatten(1, 2))[0]


def test_what_has_no_rule_is_told_and_has_no_activations() -> None:
    assert trace(Recurrent(), IMAGES).unexpected == ("aten::lstm",)
    counts = count(Recurrent(), (3, 64, 64))
    assert counts.macs.status.startswith("incomplete: no rule for aten::lstm")
    assert counts.activations is None


def test_a_layer_with_parameters_that_is_not_called_is_told() -> None:
    network = nn.Module()
    network.used, network.idle, network.scale = nn.Conv2d(3, 4, 1), nn.Linear(2, 2), nn.ParameterList()
    network.scale.append(torch.ones(1))
    network.forward = lambda images: network.used(images) * network.scale[0]
    assert trace(network, IMAGES).uncalled == ("idle",)


def test_where_fvcore_fails_only_its_own_number_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise AssertionError

    monkeypatch.setitem(module._STOCK_FLOPS, "aten::_convolution", fail)
    traced = trace(nn.Conv2d(3, 4, 1), IMAGES)
    assert (traced.stock_flops, traced.stock_activations) == (None, 64 * 64 * 4)
    assert traced.macs[""] == 64 * 64 * 4 * 3

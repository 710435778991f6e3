import pytest
import torch
from torch import Tensor, nn

from msanet_bench.measure import conventions
from msanet_bench.measure.conventions import is_free
from msanet_bench.measure.kernels import count_kernels, visible_products
from msanet_bench.measure.macs import count_macs

IMAGES = torch.zeros(2, 4, 8, 8)


class Vectors(nn.Module):
    """A matrix times a vector, which FlopCounterMode counts as nothing."""

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) @ torch.ones(256)


def test_what_the_counter_passes_over_is_told() -> None:
    counted = count_kernels(Vectors(), IMAGES)
    assert counted.macs == 0
    assert counted.unexpected == ("aten::mv",)


def test_a_network_of_known_layers_has_nothing_unexpected() -> None:
    network = nn.Sequential(
        nn.Conv2d(4, 6, 3, stride=2),  # 2 x 3 x 3 positions
        nn.BatchNorm2d(6),
        nn.GELU(),
        nn.MaxPool2d(2),
        nn.Upsample(scale_factor=3, mode="bilinear"),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.LayerNorm(6),
        nn.Linear(6, 5),
        nn.Softmax(dim=1),
    )
    with torch.no_grad():
        counted = count_kernels(network.eval(), IMAGES)
    assert (counted.macs, counted.unexpected) == (2 * 9 * 6 * 36 + 2 * 6 * 5, ())


def test_a_convention_that_is_taken_away_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conventions, "_FREE", conventions._FREE - {"_softmax"})
    assert count_kernels(nn.Softmax(dim=1), IMAGES).unexpected == ("aten::_softmax",)
    assert count_macs(nn.Softmax(dim=1), (4, 8, 8)).status == "incomplete: no rule for aten::_softmax"


@pytest.mark.parametrize(
    "name", ["mm", "bmm", "mv", "dot", "einsum", "convolution", "linear", "cdist", "lstm"]
)
def test_nothing_that_multiplies_matrices_is_free(name: str) -> None:
    assert not is_free(f"aten::{name}")


def test_only_torchs_own_operations_are_free_by_name() -> None:
    assert is_free("aten::relu_")
    assert not is_free("my_lab::relu")


def test_parameters_that_were_read_are_told_by_their_module() -> None:
    network = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())
    network.append(nn.Module())
    network[2].forward = lambda images: images
    network[2].idle = nn.Linear(2, 2)
    assert count_kernels(network, IMAGES).reading == {"0"}


def test_the_fused_kernel_is_not_counted_where_it_is_not_made_visible() -> None:
    class Fused(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return nn.functional.scaled_dot_product_attention(images, images, images)

    with torch.no_grad():
        hidden = count_kernels(Fused(), IMAGES)
        with visible_products():
            visible = count_kernels(Fused(), IMAGES)
    assert (visible.macs, visible.unexpected) == (2 * 2 * 4 * 8**3, ())
    assert hidden.macs == 0
    assert hidden.unexpected == ("aten::_scaled_dot_product_flash_attention_for_cpu",)

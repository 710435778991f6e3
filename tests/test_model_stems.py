import pytest
import torch

from msanet_bench.model.stems.imagenet import Imagenet
from msanet_bench.model.stems.small import Small


@pytest.mark.parametrize(
    ("size", "smaller"), [((224, 224), (56, 56)), ((16, 16), (4, 4)), ((17, 31), (5, 8))]
)
def test_the_imagenet_stem_keeps_a_quarter_rounded_up(
    size: tuple[int, int], smaller: tuple[int, int]
) -> None:
    assert Imagenet(3, 8)(torch.randn(1, 3, *size)).shape == (1, 8, *smaller)


def test_the_small_stem_keeps_every_pixel() -> None:
    assert Small(1, 8)(torch.randn(1, 1, 8, 11)).shape == (1, 8, 8, 11)


def test_stems_have_the_parameters_of_their_convolution_and_norm() -> None:
    assert sum(p.numel() for p in Imagenet(3, 64).parameters()) == 64 * 3 * 49 + 64 + 2 * 64
    assert sum(p.numel() for p in Small(1, 16).parameters()) == 16 * 9 + 16 + 2 * 16

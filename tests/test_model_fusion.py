import torch
from torch import Tensor

from msanet_bench.model.fusion.addition import Sum
from msanet_bench.model.fusion.concat import Concat


def _outputs() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, c, 3, 5, generator=generator, dtype=torch.float64) for c in (2, 4, 3)]


def _mixed(weight: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    return torch.einsum("oc,nchw->nohw", weight[:, :, 0, 0], x) + bias[:, None, None]


def test_concat_mixes_the_branches_side_by_side() -> None:
    fusion, (a, b, c) = Concat((2, 4, 3), 8).double().eval(), _outputs()
    weight, bias = fusion.conv.weight, fusion.conv.bias
    mixed = _mixed(weight[:, :2], bias, a) + _mixed(weight[:, 2:6], 0 * bias, b)
    mixed = mixed + _mixed(weight[:, 6:], 0 * bias, c)
    torch.testing.assert_close(fusion([a, b, c]), torch.relu(fusion.norm(mixed)))


def test_sum_adds_the_branches_channel_by_channel() -> None:
    fusion, (a, b, c) = Sum((2, 4, 3), 8).double().eval(), _outputs()
    total = b.clone()
    total[:, :2] += a
    total[:, :3] += c
    mixed = _mixed(fusion.conv.weight, fusion.conv.bias, total)
    torch.testing.assert_close(fusion([a, b, c]), torch.relu(fusion.norm(mixed)))


def test_fusions_have_the_parameters_of_their_convolution_and_norm() -> None:
    assert sum(p.numel() for p in Concat((2, 4, 3), 8).parameters()) == 9 * 8 + 8 + 2 * 8
    assert sum(p.numel() for p in Sum((2, 4, 3), 8).parameters()) == 4 * 8 + 8 + 2 * 8

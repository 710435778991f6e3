import math

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.model.fusion import FUSION
from msanet_bench.model.fusion.addition import Sum
from msanet_bench.model.fusion.concat import Concat
from msanet_bench.model.fusion.gated import Gated
from msanet_bench.model.fusion.selective_kernel import SelectiveKernel
from msanet_bench.registry import OptionProblem


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


def _wake(fusion: nn.Module) -> nn.Module:
    """In double precision and in evaluation, with statistics that are those of no fresh start."""
    torch.manual_seed(1)
    for name, tensor in fusion.double().eval().state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5) if name.endswith("running_var") else tensor.normal_()
    return fusion.requires_grad_(requires_grad=False)


def test_a_selective_kernel_weighs_each_channel_of_the_branches_by_shares_that_add_up_to_one() -> None:
    fusion, outputs = _wake(SelectiveKernel((2, 4, 3), 8, reduction=2, least=1)), _outputs()
    layers = zip(fusion.project, fusion.project_norm, outputs, strict=True)
    wide = [torch.relu(norm(_mixed(conv.weight, conv.bias, x))) for conv, norm, x in layers]
    expected = torch.zeros(2, 8, 3, 5, dtype=torch.float64)
    for n in range(2):
        pooled = sum(x[n].flatten(1).sum(dim=1) / 15 for x in wide)
        hidden = fusion.squeeze.weight[:, :, 0, 0] @ pooled + fusion.squeeze.bias
        hidden = torch.relu(fusion.norm(hidden[None, :, None, None])).flatten()
        logits = [layer.weight[:, :, 0, 0] @ hidden + layer.bias for layer in fusion.select]
        for c in range(8):
            weights = [math.exp(float(logit[c])) for logit in logits]
            for weight, x in zip(weights, wide, strict=True):
                expected[n, c] += weight / sum(weights) * x[n, c]
    torch.testing.assert_close(fusion(outputs), expected)


def test_a_selective_kernel_of_one_branch_is_its_projection() -> None:
    fusion, (a, *_) = _wake(SelectiveKernel((2,), 8)), _outputs()
    projected = torch.relu(fusion.project_norm[0](fusion.project[0](a)))
    torch.testing.assert_close(fusion([a]), projected)


def test_a_selective_kernel_has_thirty_two_hidden_channels_at_least() -> None:
    assert SelectiveKernel((8, 8), 64).squeeze.out_channels == 32
    assert SelectiveKernel((8, 8), 1024).squeeze.out_channels == 64


def test_a_gate_opens_each_branch_at_each_position() -> None:
    fusion, outputs = _wake(Gated((2, 4, 3), 8)), _outputs()
    weight, total = fusion.conv.weight[:, :, 0, 0], torch.zeros(2, 8, 3, 5, dtype=torch.float64)
    for n in range(2):
        for i in range(3):
            for j in range(5):
                side_by_side = torch.cat([x[n, :, i, j] for x in outputs])
                logits = fusion.gate.weight[:, :, 0, 0] @ side_by_side + fusion.gate.bias
                gates = [1 / (1 + math.exp(-float(logit))) for logit in logits]
                first = 0
                for gate, x in zip(gates, outputs, strict=True):
                    width = x.shape[1]
                    total[n, :, i, j] += gate * (weight[:, first : first + width] @ x[n, :, i, j])
                    first += width
    total += fusion.conv.bias[:, None, None]
    torch.testing.assert_close(fusion(outputs), torch.relu(fusion.norm(total)))


@pytest.mark.parametrize("option", ["reduction", "least"])
def test_values_that_make_no_selective_kernel_are_refused_by_name(option: str) -> None:
    message = f"`{option}` must be positive, but got ({option}=0)."
    assert list(FUSION.problems("selective_kernel", {option: 0})) == [OptionProblem(option, message)]

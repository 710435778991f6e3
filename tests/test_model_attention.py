import math

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.model.attention import ATTENTION
from msanet_bench.model.attention.dot_product import DotProductAttention, use_attention
from msanet_bench.model.attention.eca import ECA
from msanet_bench.model.attention.none import NoAttention
from msanet_bench.model.attention.se import SqueezeExcitation
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.registry import OptionProblem


def _map(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _awake(block: nn.Module) -> nn.Module:
    """The block in double precision, with a gamma that lets attention through."""
    torch.manual_seed(1)
    for parameter in block.double().parameters():
        nn.init.normal_(parameter)
    return block


def _attended(block: SelfAttention, x: Tensor, scale: float) -> Tensor:
    """The definition, one position at a time."""
    output = torch.empty_like(x)
    query, key, value = (layer(x).flatten(2) for layer in (block.query, block.key, block.value))
    for n in range(x.shape[0]):
        for i in range(query.shape[2]):
            scores = [scale * float(query[n, :, i] @ key[n, :, j]) for j in range(key.shape[2])]
            top = max(scores)
            weights = [math.exp(score - top) for score in scores]
            mixed = sum(w / sum(weights) * value[n, :, j] for j, w in enumerate(weights))
            row, column = divmod(i, x.shape[3])
            output[n, :, row, column] = x[n, :, row, column] + block.gamma * mixed
    return output


@pytest.mark.parametrize(("scaled", "scale"), [(False, 1.0), (True, 1 / math.sqrt(2))])
def test_self_attention_is_its_definition(scaled: bool, scale: float) -> None:  # noqa: FBT001
    block, x = _awake(SelfAttention(16, scaled=scaled)), _map(2, 16, 3, 5)
    assert isinstance(block, SelfAttention)
    with torch.no_grad():
        torch.testing.assert_close(block(x), _attended(block, x, scale), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("reduction", [1, 8, 100])
@pytest.mark.parametrize("size", [(7, 9), (1, 1), (4, 4)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_both_implementations_agree_and_so_do_their_gradients(
    scaled: bool,  # noqa: FBT001
    reduction: int,
    size: tuple[int, int],
    memory_format: torch.memory_format,
) -> None:
    block = _awake(SelfAttention(16, reduction=reduction, scaled=scaled))
    results = {}
    for implementation in ("explicit", "sdpa"):
        use_attention(block, implementation)
        x = _map(2, 16, *size).to(memory_format=memory_format).requires_grad_()
        output = block(x)
        results[implementation] = output, *torch.autograd.grad(output.sin().sum(), [x, *block.parameters()])
    for explicit, fused in zip(results["explicit"], results["sdpa"], strict=True):
        torch.testing.assert_close(explicit, fused, rtol=1e-10, atol=1e-10)


def test_the_fused_kernel_gets_a_head_and_one_width_contiguous_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fused = nn.functional.scaled_dot_product_attention
    calls = []

    def spy(*operands: Tensor, attn_mask: Tensor | None, scale: float) -> Tensor:
        assert attn_mask is None
        calls.append(([tuple(x.shape) for x in operands], [x.is_contiguous() for x in operands], scale))
        return fused(*operands, scale=scale)

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", spy)
    block = SelfAttention(16, scaled=True)
    use_attention(block, "sdpa")
    block(torch.randn(2, 16, 3, 5))
    # the scale is that of the query's own width, 16 / 8
    assert calls == [([(2, 1, 15, 16)] * 3, [True] * 3, 2**-0.5)]


def test_auto_is_explicit_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    core = DotProductAttention()
    monkeypatch.setattr(core, "_sdpa", None)
    core(_map(1, 2, 6), _map(1, 2, 6), _map(1, 4, 6))


def test_auto_is_fused_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    core = DotProductAttention()
    monkeypatch.setattr(core, "_explicit", None)
    query, value = torch.empty(1, 2, 6, device="meta"), torch.empty(1, 4, 6, device="meta")
    assert core(query, query, value).shape == (1, 4, 6)


def test_self_attention_starts_as_the_identity() -> None:
    x = _map(2, 16, 4, 4).float()
    assert torch.equal(SelfAttention(16)(x), x)


@pytest.mark.parametrize(("reduction", "width"), [(8, 2), (1, 16), (5, 3), (17, 1)])
def test_the_query_is_narrowed_to_one_channel_at_least(reduction: int, width: int) -> None:
    assert SelfAttention(16, reduction=reduction).query.out_channels == width


def test_none_returns_its_input() -> None:
    x = torch.randn(1, 4, 2, 2)
    assert NoAttention(4)(x) is x
    assert not list(NoAttention(4).parameters())


def test_squeeze_and_excitation_scales_channels_by_its_gate() -> None:
    block, x = _awake(SqueezeExcitation(8, reduction=4)), _map(1, 8, 3, 2)
    means = x.flatten(2).sum(dim=2)[0] / 6
    hidden = (block.squeeze.weight @ means + block.squeeze.bias).clamp(min=0)
    gate = 1 / (1 + torch.exp(-(block.excite.weight @ hidden + block.excite.bias)))
    torch.testing.assert_close(block(x), x * gate.view(1, 8, 1, 1))
    assert hidden.shape == (2,)


# k = |log2(C) / 2 + 1 / 2| rounded to odd, as the source states: 5 at C = 512 (its stage 4), 3 at C = 64
@pytest.mark.parametrize(("channels", "kernel"), [(8, 3), (64, 3), (256, 5), (512, 5)])
def test_the_kernel_of_eca_grows_with_the_logarithm_of_its_channels(channels: int, kernel: int) -> None:
    assert ECA(channels).conv.kernel_size == (kernel,)


def test_eca_scales_channels_by_their_neighbours() -> None:
    block, x = _awake(ECA(8)), _map(1, 8, 3, 2)
    means = [0.0, *(x[0].flatten(1).sum(dim=1) / 6).tolist(), 0.0]
    left, middle, right = block.conv.weight.flatten().tolist()
    sums = [left * means[c] + middle * means[c + 1] + right * means[c + 2] for c in range(8)]
    gate = torch.tensor([1 / (1 + math.exp(-s)) for s in sums], dtype=torch.float64)
    torch.testing.assert_close(block(x), x * gate.view(1, 8, 1, 1))


@pytest.mark.parametrize(
    ("name", "options", "option", "message"),
    [
        (
            "self_attention",
            {"reduction": 0},
            "reduction",
            "`reduction` must be positive, but got (reduction=0).",
        ),
        ("se", {"reduction": -1}, "reduction", "`reduction` must be positive, but got (reduction=-1)."),
        ("eca", {"gamma": 0.0}, "gamma", "`gamma` must be positive and finite, but got (gamma=0.0)."),
        ("eca", {"gamma": math.nan}, "gamma", "must be finite, but got nan."),
        ("eca", {"b": math.inf}, "b", "must be finite, but got inf."),
    ],
)
def test_values_that_make_no_attention_are_refused_by_name(
    name: str, options: dict[str, float], option: str, message: str
) -> None:
    assert list(ATTENTION.problems(name, options)) == [OptionProblem(option, message)]

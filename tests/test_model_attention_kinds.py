"""Each kind of attention against a second implementation: loops of scalars, torch's own module, or timm's."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.model.attention import ATTENTION
from msanet_bench.model.attention.axial import AxialAttention
from msanet_bench.model.attention.cbam import CBAM
from msanet_bench.model.attention.coordinate import CoordinateAttention
from msanet_bench.model.attention.dot_product import use_attention
from msanet_bench.model.attention.linear import LinearAttention
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.attention.simam import SimAM
from msanet_bench.model.attention.window import WindowAttention
from msanet_bench.registry import OptionProblem
from msanet_bench.single.attention import attention_maps

RESIDUAL = ("self_attention", "linear", "window", "axial")


def _map(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _awake(block: nn.Module) -> nn.Module:
    """The block in double precision, with a gamma that lets attention through, for outputs alone."""
    torch.manual_seed(1)
    for parameter in block.double().parameters():
        nn.init.normal_(parameter)
    return block.eval().requires_grad_(requires_grad=False)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _close(block: nn.Module, x: Tensor, expected: Tensor) -> None:
    with torch.no_grad():
        torch.testing.assert_close(block(x), expected, rtol=1e-10, atol=1e-10)


def _mixed(query: Tensor, keys: list[Tensor], values: list[Tensor], scores: list[float]) -> Tensor:
    """The values' average by the softmax of the scores."""
    assert len(keys) == len(values) == len(scores) > 0, query
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    total = torch.zeros_like(values[0])
    for weight, value in zip(weights, values, strict=True):
        total += weight / sum(weights) * value
    return total


@pytest.mark.parametrize("name", RESIDUAL)
def test_residual_kinds_start_as_the_identity(name: str) -> None:
    x = _map(2, 16, 5, 3).float()
    assert torch.equal(ATTENTION[name](16)(x), x)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_heads_are_those_of_torchs_own_module(heads: int) -> None:
    block, x = _awake(SelfAttention(16, reduction=1, scaled=True, heads=heads)), _map(2, 16, 3, 5)
    theirs = nn.MultiheadAttention(16, heads, batch_first=True, dtype=torch.float64)
    layers = (block.query, block.key, block.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.weight[:, :, 0, 0] for layer in layers]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in layers]))
        theirs.out_proj.weight.copy_(torch.eye(16))
        theirs.out_proj.bias.zero_()
        tokens = x.flatten(2).transpose(1, 2)
        mixed, _ = theirs(tokens, tokens, tokens)
    _close(block, x, x + block.gamma * mixed.transpose(1, 2).reshape(x.shape))


@pytest.mark.parametrize(("pooling", "reduce"), [("max", max), ("average", lambda v: sum(v) / len(v))])
def test_keys_and_values_are_pooled_in_windows_that_end_at_the_map(
    pooling: str, reduce: Callable[[list[float]], float]
) -> None:
    block, x = _awake(SelfAttention(8, reduction=4, pool=2, pooling=pooling)), _map(1, 8, 3, 5)
    query, key, value = (layer(x)[0] for layer in (block.query, block.key, block.value))

    def pooled(full: Tensor) -> list[Tensor]:
        cells = []
        for top in (0, 2):
            for left in (0, 2, 4):
                cell = full[:, top : min(top + 2, 3), left : min(left + 2, 5)].flatten(1)
                cells.append(torch.tensor([reduce(row.tolist()) for row in cell], dtype=torch.float64))
        return cells

    keys, values = pooled(key), pooled(value)
    assert len(keys) == 6
    expected = x.clone()
    for i in range(3):
        for j in range(5):
            scores = [float(query[:, i, j] @ k) for k in keys]
            expected[0, :, i, j] += block.gamma * _mixed(query, keys, values, scores)
    _close(block, x, expected)


@pytest.mark.parametrize(("heads", "pool"), [(1, 2), (4, 1), (2, 3)])
def test_heads_and_pooled_keys_are_the_same_through_the_fused_kernel(heads: int, pool: int) -> None:
    block, x = _awake(SelfAttention(16, heads=heads, pool=pool)), _map(2, 16, 7, 5)
    explicit = block(x)
    use_attention(block, "sdpa")
    _close(block, x, explicit)


def test_at_its_defaults_self_attention_has_the_parameters_it_always_had() -> None:
    shapes = {name: tuple(x.shape) for name, x in SelfAttention(16).state_dict().items()}
    assert shapes == {
        "gamma": (1,),
        "query.weight": (2, 16, 1, 1),
        "query.bias": (2,),
        "key.weight": (2, 16, 1, 1),
        "key.bias": (2,),
        "value.weight": (16, 16, 1, 1),
        "value.bias": (16,),
    }


def test_linear_attention_is_the_sum_over_all_pairs() -> None:
    """Eq. 4 of the source: similarities written out one by one, not summed beforehand."""
    block, x = _awake(LinearAttention(8, reduction=4)), _map(2, 8, 3, 2)
    query, key, value = (layer(x).flatten(2) for layer in (block.query, block.key, block.value))

    def phi(number: float) -> float:
        return number + 1 if number > 0 else math.exp(number)

    expected = x.flatten(2).clone()
    for n in range(2):
        for i in range(6):
            weights = [
                sum(
                    phi(a) * phi(b)
                    for a, b in zip(query[n, :, i].tolist(), key[n, :, j].tolist(), strict=True)
                )
                for j in range(6)
            ]
            mixed = sum(w * value[n, :, j] for j, w in enumerate(weights)) / sum(weights)
            expected[n, :, i] += block.gamma * mixed
    _close(block, x, expected.reshape(x.shape))


@pytest.mark.parametrize("size", [(6, 4), (7, 5), (2, 9), (1, 1)])
@pytest.mark.parametrize("implementation", ["explicit", "sdpa"])
def test_a_window_looks_at_itself_alone_and_at_nothing_that_was_filled_in(
    size: tuple[int, int], implementation: str
) -> None:
    block, x = _awake(WindowAttention(8, window=3, reduction=4)), _map(2, 8, *size)
    use_attention(block, implementation)
    query, key, value = (layer(x) for layer in (block.query, block.key, block.value))
    rows, columns = min(3, size[0]), min(3, size[1])
    expected = x.clone()
    positions = [(i, j) for i in range(size[0]) for j in range(size[1])]
    for n in range(2):
        for i, j in positions:
            near = [(a, b) for a, b in positions if (a // rows, b // columns) == (i // rows, j // columns)]
            scores = [
                float(query[n, :, i, j] @ key[n, :, a, b]) / math.sqrt(2)
                + float(block.offset_bias[i - a + 2, j - b + 2])
                for a, b in near
            ]
            keys, values = ([full[n, :, a, b] for a, b in near] for full in (key, value))
            expected[n, :, i, j] += block.gamma * _mixed(query, keys, values, scores)
    _close(block, x, expected)


def test_a_window_as_large_as_the_map_is_self_attention() -> None:
    window, whole = _awake(WindowAttention(16, window=7)), _awake(SelfAttention(16, scaled=True))
    nn.init.zeros_(window.offset_bias)
    whole.load_state_dict({k: v for k, v in window.state_dict().items() if k != "offset_bias"})
    x = _map(2, 16, 7, 5)
    _close(window, x, whole(x))


def test_axial_attention_goes_along_the_columns_and_then_along_the_rows() -> None:
    block, x = _awake(AxialAttention(8, reduction=4)), _map(2, 8, 3, 5)

    def along(layer: nn.Module, full: Tensor, axis: int) -> Tensor:
        query, key, value = (part(full) for part in (layer.query, layer.key, layer.value))
        result = torch.empty_like(full)
        for n in range(2):
            for i in range(3):
                for j in range(5):
                    line = [(k, j) for k in range(3)] if axis == 2 else [(i, k) for k in range(5)]
                    keys, values = ([t[n, :, a, b] for a, b in line] for t in (key, value))
                    scores = [float(query[n, :, i, j] @ k) / math.sqrt(2) for k in keys]
                    result[n, :, i, j] = _mixed(query, keys, values, scores)
        return result

    expected = x + block.gamma * along(block.rows, along(block.columns, x, 2), 3)
    _close(block, x, expected)


def test_cbam_is_a_gate_of_channels_and_then_one_of_positions() -> None:
    block, x = _awake(CBAM(4, reduction=2, kernel=3)), _map(1, 4, 3, 5)
    mean = torch.tensor([sum(c) / 15 for c in x[0].flatten(1).tolist()], dtype=torch.float64)
    largest = torch.tensor([max(c) for c in x[0].flatten(1).tolist()], dtype=torch.float64)

    def excited(pooled: Tensor) -> Tensor:
        hidden = (block.squeeze.weight @ pooled + block.squeeze.bias).clamp(min=0)
        return block.excite.weight @ hidden + block.excite.bias

    logits = (excited(mean) + excited(largest)).tolist()
    scaled = torch.stack([x[0, c] * _sigmoid(logit) for c, logit in enumerate(logits)])
    expected = torch.empty_like(x)
    for i in range(3):
        for j in range(5):
            total = 0.0
            for a in range(3):
                for b in range(3):
                    row, column = i + a - 1, j + b - 1
                    if 0 <= row < 3 and 0 <= column < 5:
                        here = scaled[:, row, column].tolist()
                        total += float(block.spatial.weight[0, 0, a, b]) * sum(here) / 4
                        total += float(block.spatial.weight[0, 1, a, b]) * max(here)
            expected[0, :, i, j] = scaled[:, i, j] * _sigmoid(total)
    _close(block, x, expected)


def test_coordinate_attention_scales_by_a_gate_of_the_row_and_one_of_the_column() -> None:
    block, x = _awake(CoordinateAttention(4)), _map(1, 4, 3, 5)
    block.norm.running_mean.normal_()
    block.norm.running_var.uniform_(0.5, 2)
    squeeze, norm = block.squeeze, block.norm

    def gate(mean: Tensor, layer: nn.Conv2d) -> Tensor:
        hidden = squeeze.weight[:, :, 0, 0] @ mean + squeeze.bias
        hidden = (hidden - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
        hidden = torch.stack([h * min(max(h + 3, 0), 6) / 6 for h in hidden])
        logits = layer.weight[:, :, 0, 0] @ hidden + layer.bias
        return torch.tensor([_sigmoid(logit) for logit in logits.tolist()], dtype=torch.float64)

    expected = x.clone()
    for i in range(3):
        expected[0, :, i] *= gate(x[0, :, i].sum(dim=1) / 5, block.rows)[:, None]
    for j in range(5):
        expected[0, :, :, j] *= gate(x[0, :, :, j].sum(dim=1) / 3, block.columns)[:, None]
    _close(block, x, expected)


def test_coordinate_attention_is_timms() -> None:
    layers = pytest.importorskip("timm.layers")
    ours = _awake(CoordinateAttention(16))
    # their reduction is 2/3 of 1/16, and 8 at least as ours
    theirs = layers.get_attn("coord")(16, bias=True).double().eval()
    names = {"conv1": "squeeze", "bn1": "norm", "conv_h": "rows", "conv_w": "columns"}
    for their_name, our_name in names.items():
        getattr(theirs, their_name).load_state_dict(getattr(ours, our_name).state_dict())
    x = _map(2, 16, 5, 3)
    _close(ours, x, theirs(x))


def test_simam_is_the_sigmoid_of_the_inverse_energy() -> None:
    """Eq. 5 as it stands in the source, one value at a time."""
    block, x = SimAM(2, regularisation=0.1).double(), _map(1, 2, 3, 2)
    expected = x.clone()
    for c in range(2):
        values = x[0, c].flatten().tolist()
        mean = sum(values) / 6
        variance = sum((value - mean) ** 2 for value in values) / 6
        for k, t in enumerate(values):
            energy = 4 * (variance + 0.1) / ((t - mean) ** 2 + 2 * variance + 2 * 0.1)
            expected[0, c, k // 2, k % 2] = t * _sigmoid(1 / energy)
    _close(block, x, expected)
    assert not list(block.parameters())


@pytest.mark.parametrize(
    ("name", "options", "option", "message"),
    [
        (
            "self_attention",
            {"heads": 3},
            "heads",
            "must divide the channels, but got (heads=3, channels=64).",
        ),
        ("self_attention", {"pool": 0}, "pool", "must be positive, but got (pool=0)."),
        ("linear", {"reduction": 0}, "reduction", "must be positive, but got (reduction=0)."),
        ("window", {"window": 0}, "window", "must be positive, but got (window=0)."),
        ("window", {"reduction": 0}, "reduction", "must be positive, but got (reduction=0)."),
        ("axial", {"reduction": 0}, "reduction", "must be positive, but got (reduction=0)."),
        ("cbam", {"reduction": 0}, "reduction", "must be positive, but got (reduction=0)."),
        ("cbam", {"kernel": 4}, "kernel", "must be odd and positive, but got (kernel=4)."),
        ("coordinate", {"reduction": 0}, "reduction", "must be positive, but got (reduction=0)."),
        (
            "simam",
            {"regularisation": 0.0},
            "regularisation",
            "must be positive and finite, but got (regularisation=0.0).",
        ),
    ],
)
def test_values_that_make_no_attention_are_refused_by_name(
    name: str, options: dict[str, float], option: str, message: str
) -> None:
    assert list(ATTENTION.problems(name, options)) == [OptionProblem(option, f"`{option}` {message}")]


def test_a_picture_of_attention_is_the_mean_of_the_heads() -> None:
    """Against torch's own module, whose weights are that mean."""
    block, x = _awake(SelfAttention(16, reduction=1, scaled=True, heads=4)), _map(2, 16, 3, 5)
    theirs = nn.MultiheadAttention(16, 4, batch_first=True, dtype=torch.float64)
    layers = (block.query, block.key, block.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.weight[:, :, 0, 0] for layer in layers]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in layers]))
        _, weights = theirs(*[x.flatten(2).transpose(1, 2)] * 3)
    (found,) = attention_maps(nn.Sequential(block), x)
    torch.testing.assert_close(found.weights, weights[:, 7].reshape(2, 3, 5).float())


def test_a_picture_of_a_window_that_is_the_map_knows_its_bias() -> None:
    block, x = _awake(WindowAttention(8, window=5)), _map(1, 8, 3, 3)
    nn.init.zeros_(block.query.weight)
    nn.init.zeros_(block.query.bias)
    (found,) = attention_maps(nn.Sequential(block), x)
    expected = torch.tensor(
        [math.exp(float(block.offset_bias[5 - a, 5 - b])) for a in range(3) for b in range(3)]
    )
    torch.testing.assert_close(found.weights[0].flatten(), expected / expected.sum())
    (cut,) = attention_maps(nn.Sequential(block), _map(1, 8, 7, 7))
    assert cut.weights is None

import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from msanet_bench.measure import trace
from msanet_bench.measure.macs import count_macs

IMAGE = (4, 8, 8)


class Forward(nn.Module):
    """A network that is one expression."""

    def __init__(self, expression: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.expression = expression

    def forward(self, images: Tensor) -> Tensor:
        return self.expression(images)


# 64 positions of 4 channels come in; each sum is written as outputs x MACs for one of them.
LAYERS = {
    "conv": (nn.Conv2d(4, 6, 3, padding=1), 6 * 64 * (4 * 9)),
    "conv, valid": (nn.Conv2d(4, 6, 3), 6 * 36 * (4 * 9)),
    "conv, strided": (nn.Conv2d(4, 6, 3, stride=2, padding=1), 6 * 16 * (4 * 9)),
    "conv, dilated": (nn.Conv2d(4, 6, 3, dilation=2, padding=2), 6 * 64 * (4 * 9)),
    "conv, depthwise": (nn.Conv2d(4, 4, 3, padding=1, groups=4), 4 * 64 * 9),
    "conv, grouped": (nn.Conv2d(4, 6, 3, padding=1, groups=2), 6 * 64 * (2 * 9)),
    "conv, same": (nn.Conv2d(4, 6, 5, padding="same"), 6 * 64 * (4 * 25)),
    "conv, same, dilated": (nn.Conv2d(4, 6, 3, padding="same", dilation=2), 6 * 64 * (4 * 9)),
    "conv, transposed": (nn.ConvTranspose2d(4, 6, 2, stride=2), 64 * 4 * (6 * 4)),
    "conv, transposed, grouped": (nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2), 64 * 4 * (3 * 4)),
    "linear": (nn.Sequential(nn.Flatten(), nn.Linear(256, 5)), 5 * 256),
    "linear over rows": (nn.Linear(8, 3), 4 * 8 * 3 * 8),
    "matmul": (Forward(lambda x: x @ x.transpose(2, 3)), 4 * 8 * 8 * 8),
    "matmul, broadcast": (Forward(lambda x: torch.ones(7, 8) @ x), 4 * 7 * 8 * 8),
    "bmm": (Forward(lambda x: torch.bmm(x.flatten(0, 1), x.flatten(0, 1))), 4 * 8 * 8 * 8),
    "baddbmm": (Forward(lambda x: torch.baddbmm(*[x.flatten(0, 1)] * 3)), 4 * 8 * 8 * 8),
    "addmm": (Forward(lambda x: torch.addmm(torch.ones(8), x.flatten(0, 2), torch.ones(8, 8))), 32 * 8 * 8),
    "norm": (nn.BatchNorm2d(4), 0),
    "pool": (nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)), 0),
    "resize": (nn.Upsample(scale_factor=2, mode="bilinear"), 0),
    "gate": (Forward(lambda x: x * torch.sigmoid(x.mean((2, 3), keepdim=True))), 0),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_costs_what_the_sum_on_paper_says(name: str) -> None:
    layer, expected = LAYERS[name]
    counted = count_macs(layer, IMAGE)
    assert counted.is_exact, counted.status
    assert counted.total == expected


@pytest.mark.parametrize("name", LAYERS)
def test_two_images_cost_exactly_twice_as_much(name: str) -> None:
    layer, expected = LAYERS[name]
    assert count_macs(layer, IMAGE, batch=2).total == 2 * expected


def test_a_network_that_does_the_same_for_any_number_of_images_is_not_counted_as_if_for_one() -> None:
    counted = count_macs(Forward(lambda x: x @ (torch.ones(8, 8) @ torch.ones(8, 8))), IMAGE)
    one = 4 * 8 * 8 * 8 + 8**3
    assert counted.status == (
        f"incomplete: FlopCounterMode counts {one}, for twice the images {2 * one - 8**3}"
    )


def test_stock_fvcore_misses_same_padding_and_adds_norms() -> None:
    same, norm = count_macs(nn.Conv2d(4, 6, 5, padding="same"), IMAGE), count_macs(nn.BatchNorm2d(4), IMAGE)
    assert (same.total, same.flops_fvcore_stock) == (38_400, 0)
    assert (norm.total, norm.flops_fvcore_stock) == (0, 2 * 256)


class Attention(nn.Module):
    """Self-attention over positions, written out or as one fused call, with keys in either memory layout."""

    def __init__(self, *, fused: bool, contiguous: bool = True) -> None:
        super().__init__()
        self.fused, self.contiguous = fused, contiguous
        self.query_key_value = nn.Conv2d(4, 16, 1)

    def forward(self, images: Tensor) -> Tensor:
        parts = self.query_key_value(images).flatten(2).transpose(1, 2).split((2, 2, 12), dim=2)
        query, key, value = (part.contiguous() if self.contiguous else part for part in parts)
        if self.fused:
            return functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return (query @ key.transpose(1, 2)).softmax(dim=-1) @ value


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("contiguous", [True, False])
def test_attention_costs_the_same_however_it_is_computed(*, fused: bool, contiguous: bool) -> None:
    counted = count_macs(Attention(fused=fused, contiguous=contiguous), IMAGE)
    projections, core = 64 * 16 * 4, 64 * 64 * (2 + 12)
    assert (counted.total, counted.is_exact) == (projections + core, True)


def test_stock_fvcore_does_not_see_fused_attention() -> None:
    assert count_macs(Attention(fused=True), IMAGE).flops_fvcore_stock == 64 * 16 * 4
    assert count_macs(Attention(fused=False), IMAGE).flops_fvcore_stock == 64 * 16 * 4 + 64 * 64 * 14


def test_a_transformer_layer_costs_what_its_formula_says() -> None:
    # N positions of width D, hidden width H: projections 4 N D^2, core 2 N^2 D, two linear layers 2 N D H.
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    network = Forward(lambda x: x.flatten(2))
    counted = count_macs(nn.Sequential(network, nn.Linear(64, 16), layer), IMAGE)
    assert counted.is_exact, counted.status
    assert counted.total == 4 * 64 * 16 + 4 * 4 * 16**2 + 2 * 4**2 * 16 + 2 * 4 * 16 * 32


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.branches = nn.ModuleDict(
            {"conv1": nn.Conv2d(4, 4, 1), "conv3": nn.Conv2d(4, 4, 3, padding="same")}
        )
        self.attention = Attention(fused=True)
        self.head = nn.Linear(12, 5)

    def forward(self, images: Tensor) -> Tensor:
        x = self.stem(images)
        x = sum(branch(x) for branch in self.branches.values())
        return self.head((self.attention(x) @ torch.eye(12)).mean(dim=1))


def test_parts_add_up_and_the_core_of_attention_belongs_to_attention() -> None:
    counted = count_macs(Mixed(), IMAGE)
    assert counted.by_part == {
        "other": 64 * 12 * 12,
        "stem": 64 * 4 * 36,
        "branches.conv1": 64 * 4 * 4,
        "branches.conv3": 64 * 4 * 36,
        "attention.query_key_value": 64 * 16 * 4,
        "attention": 64 * 64 * 14,
        "head": 12 * 5,
    }
    assert sum(counted.by_part.values()) == counted.total


def test_a_layer_that_is_called_twice_costs_twice() -> None:
    shared = nn.Conv2d(4, 4, 1)
    assert count_macs(nn.Sequential(shared, nn.ReLU(), shared), IMAGE).total == 2 * 64 * 4 * 4


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(_: object, images: Tensor) -> Tensor:
        return images @ images


# fvcore does not know the first two, FlopCounterMode not the last, neither knows the third
UNCOUNTED = {
    "aten::einsum": lambda x: torch.einsum("bchw,bcwk->bchk", x, x),
    "prim::PythonOp.Doubled": Doubled.apply,
    "aten::cdist, aten::_cdist_forward": lambda x: torch.cdist(x, x),
    "aten::mv": lambda x: x @ torch.ones(8),
}


@pytest.mark.parametrize("name", UNCOUNTED)
def test_an_operation_without_a_rule_makes_the_count_incomplete(name: str) -> None:
    assert count_macs(Forward(UNCOUNTED[name]), IMAGE).status == f"incomplete: no rule for {name}"


def test_counters_that_disagree_make_the_count_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {**trace._RULES, "aten::_convolution": lambda _, __: 1}
    monkeypatch.setattr(trace, "_RULES", wrong)
    counted = count_macs(nn.Conv2d(4, 6, 3), IMAGE)
    assert counted.status == "incomplete: fvcore counts 1, FlopCounterMode 7776"


def test_a_rule_that_is_wrong_in_either_counter_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = torch.utils.flop_counter.flop_registry
    monkeypatch.setitem(kernels, torch.ops.aten.convolution, lambda *_, **__: 2)
    counted = count_macs(nn.Conv2d(4, 6, 3), IMAGE)
    assert counted.status == "incomplete: fvcore counts 7776, FlopCounterMode 1"


class Costed(nn.Module):
    """A pointwise convolution and its formula, right for one image or wrong."""

    def __init__(self, formula: Callable[[Sequence[int]], int | dict[str, int]]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 6, 1)
        self.macs = formula

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images)


def test_a_formula_that_is_right_is_a_source() -> None:
    for formula in (lambda shape: shape[0] * 64 * 6 * 4, lambda shape: {"conv": shape[0] * 64 * 6 * 4}):
        counted = count_macs(Costed(formula), IMAGE)
        assert (counted.total, counted.status) == (1536, "exact")


def test_a_formula_that_is_wrong_is_caught() -> None:
    wrong, child, batch = lambda _: 5, lambda _: {"conv": 1536, "norm": 0}, lambda _: 1536
    status = count_macs(nn.Sequential(Costed(wrong)), IMAGE).status
    assert status == "incomplete: the formula of 0 says 5, fvcore 1536"
    status = count_macs(Costed(child), IMAGE).status
    assert status == "incomplete: the formula of norm says 0, fvcore nothing: there is no such module"
    status = count_macs(Costed(batch), IMAGE).status
    assert status == "incomplete: the formula of the whole says 1536, for twice the images 1536"


def test_a_part_without_a_formula_is_named_and_the_formulas_of_the_others_still_count() -> None:
    right, wrong = (lambda shape: shape[0] * 1536), (lambda _: 5)
    plain = nn.Conv2d(6, 2, 1)
    counted = count_macs(nn.Sequential(Costed(right), plain), IMAGE)
    assert counted.status == "exact by two counters: no formula for torch.nn.modules.conv.Conv2d"
    assert counted.total == 1536 + 64 * 6 * 2
    assert count_macs(nn.Sequential(Costed(wrong), plain), IMAGE).status.startswith("incomplete: the formula")


class Idle(nn.Module):
    """Holds a layer that it hands to a function, or never uses."""

    def __init__(self, *, used: bool) -> None:
        super().__init__()
        self.used, self.conv = used, nn.Conv2d(4, 6, 1)

    def forward(self, images: Tensor) -> Tensor:
        return functional.conv2d(images, self.conv.weight) if self.used else images


def test_a_layer_that_the_forward_pass_never_uses_makes_the_count_incomplete() -> None:
    assert count_macs(Idle(used=False), IMAGE).status == (
        "incomplete: with parameters that are never read: conv"
    )


def test_a_layer_whose_weight_is_handed_to_a_function_is_counted_there() -> None:
    counted = count_macs(Idle(used=True), IMAGE)
    assert (counted.total, counted.is_exact) == (1536, True)


def test_counting_leaves_model_and_process_as_they_were() -> None:
    model = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.Dropout(0.5))
    state = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(0)
    random = torch.get_rng_state()
    for was_enabled in (False, True):
        torch.backends.mha.set_fastpath_enabled(was_enabled)
        count_macs(model, IMAGE)
        assert torch.backends.mha.get_fastpath_enabled() == was_enabled
    assert model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.backends.cuda.flash_sdp_enabled()
    assert torch.is_grad_enabled()


def test_a_network_in_double_precision_can_be_counted() -> None:
    assert count_macs(nn.Conv2d(4, 6, 3).double(), IMAGE).total == 6 * 36 * 36


def test_importing_and_counting_is_silent() -> None:
    code = (
        "import torch; from msanet_bench.measure.macs import count_macs;"
        "count_macs(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.GELU()), (3, 8, 8))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


def test_fvcore_itself_is_not_silent() -> None:
    code = "import warnings; warnings.simplefilter('error', FutureWarning); import fvcore.nn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "torch.jit.script" in done.stderr

"""Every registered block keeps the contract; blocks that break it in one way each are refused."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from catalogs import own_catalog
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.catalogue import SLOTS
from msanet_bench.testing import check_block

REGISTERED = [(slot, name) for slot, registry in SLOTS.items() for name in registry]
WITH_OPTIONS: Sequence[tuple[str, str, Mapping[str, Any]]] = [
    ("branches", "conv", {"kernel": 5}),
    ("branches", "conv", {"dilation": 4}),
    ("branches", "deformable", {"kernel": 5, "dilation": 2, "modulated": True}),
    ("branches", "depthwise", {"kernel": 5, "dilation": 2}),
    ("branches", "max_pool", {"kernel": 5}),
    ("branches", "asymmetric", {"kernel": 7, "dilation": 2}),
    ("branches", "depthwise_separable", {"kernel": 5, "dilation": 2}),
    ("branches", "pyramid_pool", {"bins": (2, 5)}),
    ("stem", "patchify", {"patch": 3}),
    ("attention", "self_attention", {"reduction": 64, "scaled": True}),
    ("attention", "self_attention", {"heads": 4, "pool": 2}),
    ("attention", "self_attention", {"heads": 2, "pool": 3, "pooling": "average", "scaled": True}),
    ("attention", "window", {"window": 3, "reduction": 1}),
    ("attention", "cbam", {"kernel": 3, "reduction": 1}),
    ("fusion", "selective_kernel", {"reduction": 4, "least": 1}),
    ("attention", "se", {"reduction": 1}),
    ("attention", "eca", {"gamma": 0.5, "b": -3.0}),
    ("head", "mlp", {"dropout": 0.0}),
]


@pytest.mark.parametrize(("slot", "name"), REGISTERED)
def test_every_block_keeps_the_contract(slot: str, name: str) -> None:
    check_block(slot, name)


@pytest.mark.parametrize(("slot", "name", "options"), WITH_OPTIONS)
def test_options_keep_the_contract(slot: str, name: str, options: Mapping[str, Any]) -> None:
    check_block(slot, name, **options)


def test_every_slot_has_the_blocks_that_were_promised() -> None:
    promised = own_catalog()
    assert {slot: list(promised[slot]) for slot in SLOTS} == {
        "stem": ["imagenet", "patchify", "small"],
        "branches": [
            "asymmetric",
            "conv",
            "deformable",
            "depthwise",
            "depthwise_separable",
            "global_context",
            "identity",
            "max_pool",
            "pyramid_pool",
        ],
        "fusion": ["concat", "gated", "selective_kernel", "sum"],
        "attention": [
            "axial",
            "cbam",
            "coordinate",
            "eca",
            "linear",
            "none",
            "se",
            "self_attention",
            "simam",
            "window",
        ],
        "head": ["gem", "linear", "mlp"],
        "norm": ["batch", "group", "layer", "none"],
        "activation": ["elu", "gelu", "hardswish", "leaky_relu", "none", "relu", "silu"],
    }


def test_a_class_is_checked_without_being_registered() -> None:
    check_block("attention", SelfAttention, reduction=4)


def test_a_block_may_draw_in_its_constructor() -> None:
    check_block("attention", DrawsMany)


def test_the_random_state_of_the_caller_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    check_block("attention", "se")
    assert torch.equal(before, torch.random.get_rng_state())


class Shrinks(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 2, padding=1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Diverges(nn.Module):
    def __init__(self, _channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x / x.std(dim=(2, 3), keepdim=True, correction=0)


class StockNorm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


class Idle(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.used, self.idle = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


class Detaches(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.detach())


class WritesIntoItsInput(nn.Module):
    def __init__(self, _channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x.relu_()


class Gambles(nn.Module):
    def __init__(self, _channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x, 0.5)


class HidesItsState(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.table = torch.randn(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.table


class DrawsItself(nn.Module):
    """A single number, which nothing tells from a constant."""

    def __init__(self, _channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.randn(1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain


class DrawsMany(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.randn(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain


class WorksItOut(DrawsMany):
    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.gain = nn.Parameter(torch.linspace(0, 1, channels)[:, None, None])


class LosesDigits(nn.Module):
    """Divides by 0.001, which in bfloat16 is lost beside the 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.conv(x)
        one = torch.ones_like(mixed)
        return mixed / ((one + 0.001) - one)


class ReadsItsWeights(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.top = float(self.conv.weight.detach().max())

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Miscounts(nn.Module):
    """Says the cost of a 1 x 1 kernel where 3 x 3 run."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)

    def macs(self, shape: Sequence[int]) -> int:
        return shape[0] * shape[2] * shape[3] * shape[1] ** 2


class CountsOneImage(Miscounts):
    def macs(self, shape: Sequence[int]) -> int:
        return shape[2] * shape[3] * shape[1] ** 2 * 9


class CountsFullMaps(Miscounts):
    """Rounds the sides up to even ones, which no network of even sides would show."""

    def macs(self, shape: Sequence[int]) -> int:
        height, width = (side + side % 2 for side in shape[2:])
        return shape[0] * height * width * shape[1] ** 2 * 9


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (Shrinks, "must return the shape (2, 16, 7, 9), but got (2, 16, 4, 5) for an input of 7 x 9."),
        (Diverges, "must return finite numbers, but did not for an input of 1 x 1."),
        (StockNorm, "must train on one image of 1 x 1, but raised: "),
        (Idle, "`idle.weight` must receive a gradient, but got none."),
        (Detaches, "`input 0` must receive a gradient, but got none."),
        (WritesIntoItsInput, "must not write into its input, which other blocks read too."),
        (Gambles, "must return the same output twice in evaluation mode."),
        (HidesItsState, "must return the same output after its state dict was loaded into a second one."),
        (DrawsItself, "`gain` must depend on the seed alone. Draw it in `reset_parameters`"),
        (WorksItOut, "`gain` must keep its start, which is worked out, not drawn. Set it in"),
        (LosesDigits, "must return finite numbers under bfloat16 autocast."),
        (ReadsItsWeights, "must build on the meta device, but raised: "),
        (
            Miscounts,
            "must cost what its formula `macs` says, but for 1 x 7 x 9 it is incomplete: the formula",
        ),
        (
            CountsOneImage,
            "must cost what its formula `macs` says, but for 1 x 7 x 9 it is incomplete: the formu",
        ),
        (
            CountsFullMaps,
            "must cost what its formula `macs` says, but for 1 x 7 x 9 it is incomplete: the formu",
        ),
    ],
)
def test_a_block_that_breaks_the_contract_is_refused(block: type[nn.Module], message: str) -> None:
    with pytest.raises(AssertionError) as error:
        check_block("attention", block)
    assert str(error.value).startswith(f"attention `{block.__name__}`: {message}")


class Silent(nn.Module):
    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3)


def test_a_stem_must_say_which_sizes_it_takes() -> None:
    with pytest.raises(AssertionError, match="stem `Silent`: must declare the class attributes `min_image`"):
        check_block("stem", Silent)

"""The theoretical field against hand computations, published numbers and gradients of positive weights."""

import copy
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from msanet_bench.measure.receptive_field import EffectiveField, effective_field, theoretical_field
from msanet_bench.model.build import build
from msanet_bench.model.initialise import initialise
from msanet_bench.model.slots import ATTENTION, BRANCHES, STEMS
from msanet_bench.spec import ARTICLE_BRANCHES, BlockSpec, BranchSpec, ModelSpec

SMALL, NONE = BlockSpec(block="small"), BlockSpec(block="none")


class Chain(nn.Module):
    """Layers, and a head behind them."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)
        self.head = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class Map(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def article(**changes: object) -> nn.Module:
    return build(ModelSpec.model_validate({"width": 0.125, **changes}), num_classes=10)


def branches(**on: BranchSpec) -> dict[str, BranchSpec]:
    off = {name: branch.model_copy(update={"on": False}) for name, branch in ARTICLE_BRANCHES.items()}
    return {**off, **on}


def conv(**options: int) -> BranchSpec:
    return BranchSpec(block="conv", options=options)


def sides(model: nn.Module, size: tuple[int, int] = (64, 64)) -> tuple[int | None, int | None, bool | None]:
    field = theoretical_field(model, (3, *size))
    assert field.status == "exact"
    return field.height, field.width, field.sees_all


@pytest.mark.parametrize("layers", [1, 2, 3, 7])
def test_a_stack_of_3x3_convolutions_grows_by_two_a_layer(layers: int) -> None:
    """Two see 5 x 5 and three 7 x 7 (Simonyan & Zisserman 2015, arXiv:1409.1556, section 2.3)."""
    stack = [layer for _ in range(layers) for layer in (nn.Conv2d(3, 3, 3, padding=1), nn.ReLU())]
    assert sides(Chain(*stack)) == (1 + 2 * layers, 1 + 2 * layers, False)


@pytest.mark.parametrize(
    ("name", "pixels"),
    # alexnet and vgg16: Araujo et al. 2019, Distill, table of receptive fields. resnet50: by hand, since
    # torchvision strides in the first block of a stage: 11 behind the stem (step 4), then blocks of 3 x 3:
    # 3 at 4 (35), 1 at 4 and 3 at 8 (91), 1 at 8 and 5 at 16 (267), 1 at 16 and 2 at 32
    [("alexnet", 195), ("vgg16", 212), ("resnet50", 427)],
)
def test_known_networks_have_their_published_fields(name: str, pixels: int) -> None:
    with torch.device("meta"):
        model = models.get_model(name, weights=None)
    field = theoretical_field(model, (3, 224, 224), behind="avgpool")
    assert (field.height, field.width, field.sees_all) == (pixels, pixels, False)


def test_the_articles_network_at_224_has_the_field_counted_by_hand() -> None:
    """A convolution that halves adds 2 steps, a block 4, since its widest branch reaches 2.

    Stem: 7 (step 2), pooling 7 + 2 * 2 = 11 (step 4). Then 11 + 8 = 19 (step 8) + 2 * 32 = 83, 83 + 16 = 99
    (step 16) + 3 * 64 = 291, 291 + 32 = 323 (step 32) + 3 * 128 = 707.
    """
    assert sides(article(), (224, 224)) == (707, 707, True)
    small = 3  # steps 1, 2, 4, 8
    small += 2 + 2 * 4 * 2 + 4 + 3 * 4 * 4 + 8 + 3 * 4 * 8
    assert sides(article(stem=SMALL), (224, 224)) == (small, small, True)


@pytest.mark.parametrize(
    ("changes", "reach"),
    [
        ({}, 2),
        ({"branches": {**ARTICLE_BRANCHES, "dilated": conv(dilation=4)}}, 4),
        ({"branches": {**ARTICLE_BRANCHES, "conv5": conv(kernel=7)}}, 3),
        ({"branches": branches(conv3=conv())}, 1),
        ({"branches": branches(pool=BranchSpec(block="max_pool", options={"kernel": 5}))}, 2),
        (
            {"branches": branches(depth=BranchSpec(block="depthwise", options={"kernel": 5, "dilation": 2}))},
            4,
        ),
        ({"branches": branches(conv3=conv(kernel=1))}, 0),
        ({"branches": branches()}, 0),
        ({"fusion": BlockSpec(block="sum")}, 2),
    ],
)
@pytest.mark.parametrize("attention", ["none", "self_attention", "se", "eca"])
def test_the_widest_branch_counts(changes: dict[str, object], reach: int, attention: str) -> None:
    """Small stem 3, one stage: the halving adds 2, its block `reach` steps of 2 pixels to either side."""
    model = article(stem=SMALL, depth=(1,), attention=BlockSpec(block=attention), **changes)
    has_context = "context" in getattr(model.get_submodule("stages.0.blocks.0.multi_scale"), "branches", ())
    pixels = 3 + 2 + 2 * reach * 2
    assert sides(model, (32, 40)) == (pixels, pixels, attention != "none" or has_context)


def test_a_map_that_is_not_halved_takes_smaller_steps() -> None:
    """Without branches only the halving convolutions see: 3, 5 (step 2), 9 (4), then 17 (8), 33 or not."""
    model = article(stem=SMALL, depth=(1, 1, 1, 1), branches=branches(), attention=NONE)
    assert sides(model, (64, 64)) == (33, 33, False)
    # 8 x 8 becomes 4, 2, and stays 2 at steps of 4: 9 + 8 + 8
    assert sides(model, (8, 8)) == (25, 25, False)
    kept = article(stem=SMALL, depth=(1, 1), branches=branches(), attention=NONE, same_size_stages=(1,))
    assert sides(kept, (64, 64)) == (7, 7, False)


@pytest.mark.parametrize("size", [(8, 8), (8, 11), (16, 16)])
def test_attention_sees_all_of_the_smallest_maps(size: tuple[int, int]) -> None:
    assert sides(article(stem=SMALL, depth=(1, 1, 1, 1), branches=branches(conv3=conv())), size)[2] is True


def test_attention_in_a_stage_before_the_last_is_seen_too() -> None:
    model = article(stem=SMALL, depth=(1, 1), branches=branches(conv3=conv()), attention_stages=(1,))
    assert sides(model)[2] is True
    model = article(stem=SMALL, depth=(1, 1), branches=branches(conv3=conv()), attention_stages=(3,))
    assert sides(model)[2] is False


def test_all_parts_that_look_at_the_whole_map_are_named_in_their_order() -> None:
    """Context in every block, before attention, which is no longer alone in what it sees."""
    assert theoretical_field(article(stem=SMALL), (3, 32, 32)).whole_map_by == (
        "branches.context",
        "attention.core",
    )
    thin = {"stem": SMALL, "branches": branches(conv3=conv())}
    for attention, part in (("self_attention", "attention.core"), ("none", None)):
        field = theoretical_field(article(attention=BlockSpec(block=attention), **thin), (3, 32, 32))
        assert field.whole_map_by == (() if part is None else (part,))


class Unused(nn.Module):
    """Looks at the whole map for nothing, then a layer that does so for something."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.AdaptiveAvgPool2d(1)
        self.stem = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        self.attention(x)
        return self.head(x * self.stem(x))


def test_who_looks_and_does_not_pass_it_on_is_not_named() -> None:
    assert theoretical_field(Unused(), (3, 8, 8)).whole_map_by == ("stem",)


class DynamicKernel(nn.Module):
    """A convolution whose weights are worked out from the whole image."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        weight = x.mean(dim=(0, 1, 2, 3)).expand(3, 3, 3, 3)
        return self.head(nn.functional.conv2d(x, weight, padding=1))


def test_weights_that_come_from_the_image_see_all_of_it() -> None:
    field = theoretical_field(DynamicKernel(), (3, 8, 8))
    assert (field.height, field.width, field.sees_all) == (3, 3, True)


class NoBackward(torch.autograd.Function):
    """What a plug-in may do."""

    @staticmethod
    def forward(_: object, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: object, __: Tensor) -> Tensor:
        raise RuntimeError("planted\nsecond line")


def test_gradients_that_cannot_be_had_give_a_reason_and_no_number() -> None:
    field = effective_field(Chain(Map(NoBackward.apply)), (3, 8, 8))
    assert field == EffectiveField(None, "not measured (RuntimeError: planted)")


def test_context_alone_leaves_no_field_through_windows() -> None:
    model = article(branches=branches(context=BranchSpec(block="global_context")), attention=NONE)
    field = theoretical_field(model, (3, 64, 64))
    assert (field.height, field.width, field.sees_all) == (None, None, True)
    assert field.status == "no unit sees through windows alone"


def support(model: nn.Module, size: tuple[int, int]) -> tuple[int, int]:
    """A second implementation: the pixels with a gradient when nothing can cancel and nothing is skipped."""
    subject = copy.deepcopy(model).double().eval()
    for parent in list(subject.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.MaxPool2d):  # passes one tap's gradient; a mean passes all
                setattr(parent, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
    with torch.no_grad():
        for parameter in subject.parameters():
            parameter.abs_().add_(0.1).mul_(0.1)
    images = torch.ones(1, 3, *size, dtype=torch.float64, requires_grad=True)
    met: list[Tensor] = []
    subject.get_submodule("head").register_forward_pre_hook(lambda _, inputs: met.append(inputs[0]))
    subject(images)
    height, width = met[0].shape[2:]
    (gradient,) = torch.autograd.grad(met[0][0, :, height // 2, width // 2].sum(), images)
    rows, columns = gradient[0].sum(dim=0).nonzero(as_tuple=True)
    return int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)


@pytest.mark.parametrize("stem", ["small", "imagenet"])
@pytest.mark.parametrize(
    "blocks",
    [
        branches(),
        branches(conv3=conv()),
        branches(conv3=conv(), conv5=conv(kernel=5), dilated=conv(dilation=2)),
        branches(conv3=conv(), dilated=conv(dilation=3)),
        branches(pool=BranchSpec(block="max_pool")),
        branches(depth=BranchSpec(block="depthwise", options={"dilation": 2})),
    ],
)
@pytest.mark.parametrize("fusion", ["concat", "sum"])
def test_gradients_of_positive_weights_reach_as_far(
    stem: str, blocks: dict[str, BranchSpec], fusion: str
) -> None:
    model = article(
        stem=BlockSpec(block=stem),
        depth=(1, 2),
        branches=blocks,
        fusion=BlockSpec(block=fusion),
        attention=NONE,
    )
    size = (304, 320)
    assert sides(model, size) == (*support(model, size), False)


@pytest.mark.parametrize(
    ("layer", "seen"),
    [
        (nn.Conv2d(3, 4, (3, 5), stride=(1, 2), dilation=(2, 1)), (5, 5, False)),
        (nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 4, 2)), (2, 2, False)),
        (nn.Conv2d(3, 4, (1, 7), padding="same"), (1, 7, False)),
        (nn.AvgPool2d(3, stride=1), (3, 3, False)),
        (nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(3, 4, 3)), (6, 6, False)),
        (nn.ZeroPad2d(2), (1, 1, False)),
        # the taps of both lie apart: 3 to the left of the unit, 3 to the right
        (Map(lambda x: nn.functional.pad(x, (3, 0))[..., :64] + x), None),
        (
            Map(lambda x: nn.functional.pad(x, (3, 0, 0, 0)) + nn.functional.pad(x, (0, 3, 0, 0))),
            (1, 4, False),
        ),
        (nn.GroupNorm(1, 3), (1, 1, True)),
        (nn.InstanceNorm2d(3), (1, 1, True)),
        (nn.BatchNorm2d(3, track_running_stats=False), (1, 1, True)),
        (nn.BatchNorm2d(3), (1, 1, False)),
        (Map(lambda x: x.softmax(dim=1)), (1, 1, False)),
        (Map(lambda x: x.flatten(2).softmax(dim=2).view(x.shape)), (1, 1, True)),
        (Map(lambda x: x * x.amax(dim=(2, 3), keepdim=True)), (1, 1, True)),
        (Map(lambda x: x * x.mean(dim=1, keepdim=True)), (1, 1, False)),
        (Map(lambda x: x * nn.functional.adaptive_avg_pool2d(x, 1)), (1, 1, True)),
        (Map(lambda x: (x.flatten(2).mT @ x.new_ones(3, 5)).mT.view(-1, 5, 64, 64)), (1, 1, False)),
        (Map(lambda x: torch.cat([x, x.chunk(3, dim=1)[1]], dim=1)), (1, 1, False)),
        # tokens: normalised and mixed over channels, one by one
        (
            nn.Sequential(
                nn.Conv2d(3, 4, 3, padding=1),
                Map(lambda x: x.flatten(2).transpose(1, 2)),
                nn.LayerNorm(4),
                nn.Linear(4, 5),
                Map(lambda x: x.transpose(1, 2).unflatten(2, (64, 64))),
            ),
            (3, 3, False),
        ),
    ],
)
def test_what_torchs_layers_see(layer: nn.Module, seen: tuple[int, int, bool] | None) -> None:
    if seen is None:
        assert theoretical_field(Chain(layer), (3, 64, 64)).status.startswith("not known (slice: ")
    else:
        assert sides(Chain(layer)) == seen


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x.roll(1, dims=2), "no rule for roll"),
        (lambda x: x.mean(dim=2, keepdim=True) + x, "mean: works along one axis of the map alone"),
        (lambda x: x.transpose(2, 3) + x, "joins tensors whose positions lie along different dimensions"),
        (lambda x: x.reshape(2, 3, 8, 8, 8, 8), "view: cuts the map into pieces"),
        (nn.functional.pixel_shuffle, "no rule for pixel_shuffle"),
        (lambda x: x[:, :, :32], "slice: the sizes"),
        (lambda x: torch.cat([x, x], dim=3), "cat: puts maps side by side"),
        (lambda x: nn.functional.avg_pool2d(x, 2) + x[:, :, ::2, ::2], "slice: the sizes"),
        (lambda x: nn.functional.max_pool2d(x, 3, 1, 1, return_indices=True)[1] + x, "second result"),
        (lambda x: nn.functional.interpolate(x, scale_factor=2.0), "no rule for upsample_nearest2d"),
        (
            lambda x: nn.functional.adaptive_avg_pool2d(x, 5),
            "has windows that may differ from place to place",
        ),
        # a product of channels with channels at each pixel, which is no attention
        (
            lambda x: (y := x.permute(2, 3, 0, 1).flatten(0, 1)).bmm(y.mT),
            "bmm: multiplies at each position apart",
        ),
    ],
)
def test_what_is_not_followed_gives_a_reason_and_no_number(
    function: Callable[..., Tensor], reason: str
) -> None:
    layer = nn.PixelShuffle(1) if function is nn.functional.pixel_shuffle else Map(function)
    field = theoretical_field(Chain(layer), (3, 64, 64))
    assert (field.height, field.width, field.sees_all) == (None, None, None)
    assert field.status.startswith("not known (")
    assert reason in field.status


def test_writing_into_a_part_of_a_tensor_is_not_followed() -> None:
    def write(x: Tensor) -> Tensor:
        y = x.clone()
        y[:, :1] += nn.functional.avg_pool2d(x[:, :1], 3, 1, 1)
        return y

    assert theoretical_field(Chain(Map(write)), (3, 64, 64)).status == (
        "not known (add_ writes into a part of a tensor)"
    )


class Parallel(nn.Module):
    """Attention of a plug-in: says no reach, and is followed all the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(channels, channels, 3, padding=1)
        self.far = nn.Conv2d(channels, channels, 3, padding=4, dilation=4)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.near(x)
        x += self.far(x)
        return x


class Shifts(nn.Module):
    """A plug-in that nobody can follow."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return x.roll(1, dims=3)


def test_plugins_are_followed_or_refused() -> None:
    ATTENTION.register("parallel")(Parallel)
    ATTENTION.register("shifts")(Shifts)
    thin = {"stem": SMALL, "depth": (1,), "branches": branches()}
    # 5 behind the halving, at steps of 2: near 1 and far 4 to either side, one after the other
    assert sides(article(attention=BlockSpec(block="parallel"), **thin)) == (25, 25, False)
    model = article(attention=BlockSpec(block="shifts"), **thin)
    assert theoretical_field(model, (3, 64, 64)).status == "not known (no rule for roll)"


# what each multiplies or pools is rearranged first, which no rule follows: a reason, and no number
NOT_FOLLOWED = {"axial", "coordinate", "window"}


def test_every_registered_block_is_followed_or_says_why_not() -> None:
    for stem in STEMS:
        for attention in ATTENTION:
            model = article(stem=BlockSpec(block=stem), attention=BlockSpec(block=attention))
            status = theoretical_field(model, (3, 32, 32)).status
            assert status.startswith("not known (" if attention in NOT_FOLLOWED else "exact"), attention


# where two units of one map see unlike parts of it
UNLIKE = {
    "deformable": "not known (deform_conv2d: has taps that lie where the image puts them)",
    "pyramid_pool": "not known (_adaptive_avg_pool2d: has windows that may differ from place to place)",
}


@pytest.mark.parametrize("name", BRANCHES)
def test_every_registered_branch_is_followed_or_says_why_not(name: str) -> None:
    model = article(stem=SMALL, attention=NONE, branches=branches(conv3=conv(), other=BranchSpec(block=name)))
    assert theoretical_field(model, (3, 32, 32)).status == UNLIKE.get(name, "exact")


def test_a_pyramid_of_one_bin_is_the_mean_of_the_map() -> None:
    pyramid = BranchSpec(block="pyramid_pool", options={"bins": (1,)})
    model = article(stem=SMALL, depth=(1,), attention=NONE, branches=branches(pyramid=pyramid))
    assert sides(model) == (5, 5, True)


def test_the_network_is_not_touched() -> None:
    model = article().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    theoretical_field(model, (3, 32, 32))
    effective_field(model, (3, 32, 32))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(module.training and not module._forward_pre_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(("rest", "side"), [(1.0, 3.0), (0.05, 3.0), (0.04, 1.0)])
def test_pixels_count_from_a_share_of_the_largest_gradient(rest: float, side: float) -> None:
    """A centre of 1 among 8 others: they count above 0.0455 of it."""
    layer = nn.Conv2d(3, 2, 3, padding=1)
    with torch.no_grad():
        layer.weight.fill_(-rest)  # the sign does not matter
        layer.weight[:, :, 1, 1] = 1.0
    assert effective_field(Chain(layer), (3, 9, 9)) == EffectiveField(side)


@pytest.mark.parametrize("layers", [10, 20, 40])
def test_even_weights_give_the_gaussian_of_the_paper(layers: int) -> None:
    """Of variance 2/3 a layer and axis: exp(-r^2 / (2 s^2)) falls to 0.0455 at r^2 = -2 s^2 log(0.0455)."""
    stack = [nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(layers)]
    for layer in stack:
        nn.init.constant_(layer.weight, 1 / 9)
    area = math.pi * -2 * math.log(0.0455) * layers * 2 / 3
    field = effective_field(Chain(*stack), (1, 101, 101))
    assert field.side == pytest.approx(math.sqrt(area), rel=0.03)
    assert sides_of_one(stack) == 1 + 2 * layers


def sides_of_one(stack: list[nn.Conv2d]) -> int | None:
    return theoretical_field(Chain(*stack), (1, 101, 101)).height


def test_a_unit_without_a_gradient_has_no_field() -> None:
    field = effective_field(Chain(nn.Conv2d(3, 2, 3, padding=1), Map(lambda x: 0 * x)), (3, 9, 9))
    assert field == EffectiveField(None, "not measured (the unit has no gradient)")


def test_the_same_weights_give_the_same_effective_field() -> None:
    first, second = article(), article()
    initialise(first, 3)
    initialise(second, 3)
    initialise(another := article(), 4)
    first_field = effective_field(first, (3, 32, 32))
    assert first_field == effective_field(second, (3, 32, 32))
    assert first_field.side is not None
    assert 0 < first_field.side <= 32
    assert theoretical_field(another, (3, 32, 32)) == theoretical_field(first, (3, 32, 32))

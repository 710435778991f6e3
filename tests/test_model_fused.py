from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.model import fused as fused_module
from msanet_bench.model.branches.conv import Conv
from msanet_bench.model.build import build
from msanet_bench.model.fold import watch
from msanet_bench.model.fused import MergedMultiScaleBlock, fuse, merge_convolutions
from msanet_bench.model.initialise import initialise
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import ATTENTION
from msanet_bench.spec import ARTICLE_BRANCHES, BlockSpec, BranchSpec, ModelSpec

SMALL = BlockSpec(block="small")


def conv(*, kernel: int = 3, dilation: int = 1, on: bool = True) -> BranchSpec:
    return BranchSpec(block="conv", options={"kernel": kernel, "dilation": dilation}, on=on)


def without(*names: str) -> dict[str, BranchSpec]:
    return {
        name: branch.model_copy(update={"on": name not in names}) for name, branch in ARTICLE_BRANCHES.items()
    }


# what is changed in the article's network, and how many convolutions the merged branches of a block save
SHAPES: Mapping[str, tuple[dict[str, object], int]] = {
    "article": ({}, 2),
    "without conv3": ({"branches": without("conv3")}, 1),
    "without conv5": ({"branches": without("conv5")}, 1),
    "without dilated": ({"branches": without("dilated")}, 1),
    "without context": ({"branches": without("context")}, 2),
    "conv3 alone": ({"branches": without("conv5", "dilated", "context")}, 0),
    "context alone": ({"branches": without("conv3", "conv5", "dilated")}, 0),
    "no branch": ({"branches": without(*ARTICLE_BRANCHES)}, 0),
    "dilation 1": ({"branches": {**ARTICLE_BRANCHES, "dilated": conv()}}, 2),
    # three pixels to the outermost tap: it does not fit
    "dilation 3": ({"branches": {**ARTICLE_BRANCHES, "dilated": conv(dilation=3)}}, 1),
    "kernel 7": ({"branches": {**ARTICLE_BRANCHES, "conv5": conv(kernel=7)}}, 1),
    "kernel 1": ({"branches": {**ARTICLE_BRANCHES, "conv3": conv(kernel=1)}}, 2),
    "shared width": ({"branches": without("conv3"), "branch_width": "shared"}, 1),
    "a branch between": (
        {
            "branches": {
                "context": BranchSpec(block="global_context"),
                "first": conv(),
                "pool": BranchSpec(block="max_pool"),
                "second": conv(dilation=2),
                "depth": BranchSpec(block="depthwise"),
            }
        },
        1,
    ),
    "sum": ({"fusion": BlockSpec(block="sum")}, 2),
    "sum of unequal widths": ({"fusion": BlockSpec(block="sum"), "branches": without("dilated")}, 1),
    "no attention": ({"attention": BlockSpec(block="none")}, 2),
    "squeeze and excitation": ({"attention": BlockSpec(block="se")}, 2),
    "coordinate attention": ({"attention": BlockSpec(block="coordinate")}, 2),
    "window attention": ({"attention": BlockSpec(block="window", options={"window": 3})}, 2),
    "selective kernel": ({"fusion": BlockSpec(block="selective_kernel")}, 2),
    "gated": ({"fusion": BlockSpec(block="gated"), "branches": without("dilated")}, 1),
    "small stem": ({"stem": SMALL}, 2),
}


def thin(**changes: object) -> nn.Module:
    """A network whose statistics, gains and gates are those of no fresh start.

    With gains up to 6 the outputs lie around 1, and differ between two images by some tenths.
    """
    spec = ModelSpec.model_validate({"width": 0.125, "depth": (1, 2), **changes})
    model = build(spec, num_classes=10)
    initialise(model, 0)
    ranges = {"running_mean": (-0.5, 0.5), "running_var": (0.5, 2.0), "bias": (-0.5, 0.5), "gamma": (0.5, 1)}
    generator = torch.Generator().manual_seed(1)
    for name, tensor in model.state_dict().items():
        entry = "norm.weight" if name.endswith("norm.weight") else name.rpartition(".")[2]
        if entry in ranges or entry == "norm.weight":
            tensor.uniform_(*ranges.get(entry, (-6.0, 6.0)), generator=generator)
    return model.double()


def images(model: nn.Module, batch: int = 2, size: tuple[int, int] = (33, 20)) -> Tensor:
    dtype = next(model.parameters()).dtype
    return torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(2)).to(dtype)


def largest_difference(outputs: Tensor, expected: Tensor) -> float:
    """As a share of the largest output, which is 0.5 to 20."""
    return ((outputs - expected).abs().max() / expected.abs().max()).item()


@contextmanager
def counted_convolutions(model: nn.Module) -> Iterator[list[str]]:
    called: list[str] = []
    handles = [
        module.register_forward_hook(lambda *_, name=name: called.append(name))
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    yield called
    for handle in handles:
        handle.remove()


def convolutions_run(model: nn.Module, x: Tensor) -> int:
    with torch.no_grad(), counted_convolutions(model) as called:
        model.eval()(x)
    return len(called)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("batch", "size"), [(1, (33, 20)), (3, (32, 32))])
def test_the_outputs_are_those_of_the_original(shape: str, batch: int, size: tuple[int, int]) -> None:
    model = thin(**SHAPES[shape][0]).eval()
    x = images(model, batch, size)
    fused = fuse(model, images(model))
    single = fuse(model.float(), images(model))
    with torch.no_grad():
        assert largest_difference(single(x.float()), model(x.float())) < 1e-5
        assert largest_difference(fused(x), model.double()(x)) < 1e-12


@pytest.mark.parametrize("shape", SHAPES)
def test_as_many_convolutions_are_saved_as_branches_are_merged(shape: str) -> None:
    changes, saved = SHAPES[shape]
    model = thin(**changes)
    blocks = 1 + 2
    x = images(model)
    assert convolutions_run(model, x) - convolutions_run(fuse(model, x), x) == blocks * saved
    assert convolutions_run(fuse(model, x, merge=False), x) == convolutions_run(model, x)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_batch_norm_is_left(shape: str) -> None:
    fused = fuse(model := thin(**SHAPES[shape][0]), images(model))
    assert not [name for name, module in fused.named_modules() if isinstance(module, nn.BatchNorm2d)]


def test_the_articles_network_calls_the_convolutions_counted_by_hand() -> None:
    """Stem 1, three stages: 1 to halve and 8 blocks; a block has 4 branches, fusion, query, key and value."""
    model = build(ModelSpec(width=0.125), num_classes=10)
    x = torch.randn(1, 3, 64, 64)
    assert convolutions_run(model, x) == 1 + 3 + 8 * (4 + 1 + 3)
    fused = fuse(model, x)
    assert convolutions_run(fused, x) == 1 + 3 + 8 * (2 + 1 + 3)
    assert not [module for module in fused.modules() if isinstance(module, nn.BatchNorm2d)]


def test_the_original_is_untouched() -> None:
    model = thin().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    text = repr(model)
    fused = fuse(model, images(model))
    assert repr(model) == text
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert not any(module.training for module in fused.modules())
    own = {tensor.data_ptr() for tensor in model.state_dict().values()}
    assert not own & {tensor.data_ptr() for tensor in fused.state_dict().values()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_precision_of_the_model_is_kept(dtype: torch.dtype) -> None:
    model = thin().to(dtype)
    fused = fuse(model, images(model))
    assert {parameter.dtype for parameter in fused.parameters()} == {dtype}


def test_a_merged_kernel_is_the_one_laid_out_by_hand() -> None:
    small, wide, spread = (nn.Conv2d(1, 1, k, dilation=d) for k, d in ((3, 1), (5, 1), (3, 2)))
    for conv2d in (small, wide, spread):
        nn.init.constant_(conv2d.weight, 1.0)
    merged = merge_convolutions([small, wide, spread])
    assert merged.weight.tolist() == [
        [[[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]],
        [[[1] * 5] * 5],
        [[[1, 0, 1, 0, 1], [0] * 5, [1, 0, 1, 0, 1], [0] * 5, [1, 0, 1, 0, 1]]],
    ]
    assert merged.padding == (2, 2)


def test_the_window_is_no_larger_than_the_widest_branch() -> None:
    model = thin(branches={"first": conv(), "second": conv(kernel=1)})
    fused = fuse(model, images(model))
    windows = {m.merged.kernel_size for m in fused.modules() if isinstance(m, MergedMultiScaleBlock)}
    assert windows == {(3, 3)}


def test_the_outputs_that_are_compared_depend_on_the_image() -> None:
    model = thin().eval()
    with torch.no_grad():
        first, second = model(images(model))
    assert 0.1 < (first - second).abs().max() < 10


@pytest.mark.parametrize("weight", ["weight", "bias"])
def test_a_wrong_weight_is_found(weight: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def slightly_wrong(convs: list[nn.Conv2d]) -> nn.Conv2d:
        merged = merge_convolutions(convs)
        with torch.no_grad():
            merged.get_parameter(weight).view(-1)[7] += 1e-3
        return merged

    monkeypatch.setattr(fused_module, "merge_convolutions", slightly_wrong)
    # at a fresh start, where 1e-7 of an image arrives at the outputs
    model = build(ModelSpec(width=0.125), num_classes=10)
    initialise(model, 0)
    with pytest.raises(ValueError, match=r"multi_scale\.fusion\.norm: a fused network must give the same"):
        fuse(model, images(model))


class Lookalikes(nn.Module):
    """Batch norms behind convolutions that must not be folded, and some that may."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.skipped, self.skipped_norm = nn.Conv2d(channels, channels, 1), BatchNorm2d(channels)
        self.twice, self.twice_norm = nn.Conv2d(channels, channels, 1), BatchNorm2d(channels)
        self.own, self.own_norm = (
            nn.Conv2d(channels, channels, 1),
            nn.BatchNorm2d(channels, track_running_stats=False),
        )
        self.grouped = nn.Conv2d(channels, channels, 3, padding="same", groups=4, bias=False)
        self.grouped_norm = nn.BatchNorm2d(channels, affine=False)
        self.line, self.line_norm = nn.Conv1d(channels, channels, 3, padding=1), nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        skipped = self.skipped(x)
        x = self.skipped_norm(skipped) + skipped
        x = self.twice_norm(self.twice(x))
        x = x + self.twice(x)
        x = self.own_norm(self.own(x))
        x = self.grouped_norm(self.grouped(x))
        return self.line_norm(self.line(x.flatten(2))).view(x.shape)


def test_a_norm_is_folded_only_where_it_alone_takes_the_output() -> None:
    ATTENTION.register("lookalikes")(Lookalikes)
    model = thin(attention=BlockSpec(block="lookalikes"), depth=(1,))
    fused = fuse(model, images(model))
    left = [name for name, m in fused.named_modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    at = "stages.0.blocks.0.attention"
    assert left == [f"{at}.{name}_norm" for name in ("skipped", "twice", "own")]


class ReadsWeights(nn.Module):
    """Uses a weight without calling its convolution: one pass cannot show it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, channels, 1), BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)) + self.conv.weight.mean()


def test_a_weight_that_is_used_by_other_means_is_refused() -> None:
    ATTENTION.register("reads_weights")(ReadsWeights)
    model = thin(attention=BlockSpec(block="reads_weights"))
    with pytest.raises(ValueError, match="uses the weights of a convolution without calling it"):
        fuse(model, images(model))


def test_the_watched_pass_leaves_no_hooks() -> None:
    model = thin().eval()
    watch(model, images(model))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_branch_whose_norm_stays_is_not_merged() -> None:
    model = thin(depth=(1,))
    block = model.get_submodule("stages.0.blocks.0.multi_scale")
    first = block.get_submodule("branches.conv3")
    assert isinstance(first, Conv)
    first.norm = nn.BatchNorm2d(first.conv.out_channels, track_running_stats=False).double()
    fused = fuse(model, images(model))
    (merged,) = (module for module in fused.modules() if isinstance(module, MergedMultiScaleBlock))
    assert list(merged.branches) == ["conv3", "context"]

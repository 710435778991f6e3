from collections.abc import Sequence

import pytest
import torch
from torch import nn

from msanet_bench.model.build import build
from msanet_bench.model.msanet import BoundedConv2d, BranchWidth, MSANet, branch_widths, scale_channels
from msanet_bench.spec import ARTICLE_BRANCHES, BlockSpec, BranchSpec, ModelSpec

SMALL, IMAGENET = BlockSpec(block="small"), BlockSpec(block="imagenet")
OFF = {name: branch.model_copy(update={"on": False}) for name, branch in ARTICLE_BRANCHES.items()}


def _thin(**changes: object) -> MSANet:
    fields = {"width": 0.125, "depth": (1, 1, 1), **changes}
    return build(ModelSpec.model_validate(fields), num_classes=10)


def _maps(model: MSANet, size: tuple[int, int]) -> list[tuple[int, ...]]:
    x = model.stem(torch.randn(1, 3, *size))
    maps = [tuple(x.shape[2:])]
    for stage in model.stages:
        x = stage(x)
        maps.append(tuple(x.shape[2:]))
    return maps


@pytest.mark.parametrize("stem", [SMALL, IMAGENET])
@pytest.mark.parametrize("size", [(16, 16), (17, 31), (33, 16)])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_odd_sizes_and_grey_or_colour_images_give_class_scores(
    stem: BlockSpec, size: tuple[int, int], in_channels: int
) -> None:
    model = build(ModelSpec(stem=stem, width=0.125, depth=(1, 1, 1)), num_classes=7, in_channels=in_channels)
    logits = model(torch.randn(2, in_channels, *size))
    assert logits.shape == (2, 7)
    assert logits.isfinite().all()


@pytest.mark.parametrize(("stem", "side"), [(SMALL, 8), (IMAGENET, 16)])
def test_one_image_of_the_smallest_size_trains(stem: BlockSpec, side: int) -> None:
    model = _thin(stem=stem, depth=(1, 1, 1, 1)).train()
    loss = model(torch.randn(1, 3, side, side)).square().sum()
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(
    ("stem", "size", "message"),
    [
        (
            SMALL,
            (8, 7),
            "images must be at least 8 x 8 for the stem Small, but got (height=8, width=7).",
        ),
        (
            IMAGENET,
            (15, 40),
            "images must be at least 16 x 16 for the stem Imagenet, but got (height=15, width=40).",
        ),
    ],
)
def test_smaller_images_are_refused(stem: BlockSpec, size: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match="at least") as error:
        _thin(stem=stem)(torch.randn(1, 3, *size))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("stem", "size", "maps"),
    [
        (SMALL, (8, 8), [(8, 8), (4, 4), (2, 2), (2, 2)]),
        (SMALL, (8, 11), [(8, 11), (4, 6), (2, 3), (2, 3)]),
        (SMALL, (9, 9), [(9, 9), (5, 5), (3, 3), (2, 2)]),
        (SMALL, (16, 16), [(16, 16), (8, 8), (4, 4), (2, 2)]),
        (IMAGENET, (16, 16), [(4, 4), (2, 2), (1, 1), (1, 1)]),
        (IMAGENET, (35, 64), [(9, 16), (5, 8), (3, 4), (2, 2)]),
    ],
)
def test_maps_halve_until_the_stems_smallest(
    stem: BlockSpec, size: tuple[int, int], maps: list[tuple[int, int]]
) -> None:
    assert _maps(_thin(stem=stem), size) == maps


def test_the_halving_convolution_is_torchs_where_it_halves() -> None:
    conv, x = BoundedConv2d(3, 4, stride=2, min_map=2), torch.randn(2, 3, 7, 4)
    stock = nn.Conv2d(3, 4, 3, stride=2, padding=1)
    stock.load_state_dict(conv.state_dict())
    assert torch.equal(conv(x), stock(x))


def test_without_a_branch_the_fusion_remains() -> None:
    model = _thin(branches=OFF)
    block = model.stages[0].blocks[0].multi_scale
    assert list(block.branches) == []
    assert block.fusion.conv.weight.shape == (16, 16, 1, 1)
    assert model(torch.randn(2, 3, 16, 16)).shape == (2, 10)


def test_attention_stays_in_its_stages() -> None:
    model = _thin(attention_stages=(2,), depth=(1, 2, 1))
    with_gamma = [name for name, _ in model.named_parameters() if name.endswith("gamma")]
    assert with_gamma == ["stages.1.blocks.0.attention.gamma", "stages.1.blocks.1.attention.gamma"]


@pytest.mark.parametrize(
    ("channels", "on", "branch_width", "widths"),
    [
        (128, (1, 1, 1, 1), "fixed", (32, 32, 32, 32)),
        (128, (1, 0, 1, 1), "fixed", (32, 32, 32)),
        (128, (1, 0, 1, 1), "shared", (43, 43, 42)),
        (8, (1, 1, 1), "fixed", (3, 3, 2)),
        (8, (0, 1, 1), "fixed", (3, 2)),
        (16, (0, 0, 1), "shared", (16,)),
        (16, (0, 0, 0), "shared", ()),
        (16, (), "fixed", ()),
    ],
)
def test_channels_are_split_over_the_branches(
    channels: int, on: Sequence[int], branch_width: BranchWidth, widths: Sequence[int]
) -> None:
    split = branch_widths(channels, {str(place): bool(is_on) for place, is_on in enumerate(on)}, branch_width)
    assert tuple(split[str(place)] for place, is_on in enumerate(on) if is_on) == tuple(widths)


@pytest.mark.parametrize("keep", [("conv3",), ("conv5", "context"), ("conv3", "conv5", "dilated")])
def test_shared_width_keeps_the_fusion_as_wide_as_the_baseline(keep: tuple[str, ...]) -> None:
    branches = {name: branch.model_copy(update={"on": name in keep}) for name, branch in OFF.items()}
    for stage in _thin(branches=branches, branch_width="shared").stages:
        block = stage.blocks[0].multi_scale
        widths = [branch.conv.out_channels for branch in block.branches.values()]
        assert sum(widths) == block.fusion.conv.in_channels == block.fusion.conv.out_channels
        assert max(widths) - min(widths) <= 1


@pytest.mark.parametrize(
    ("channels", "width", "scaled"),
    # 64 * 0.3 = 19.2 and 128 * 0.3 = 38.4 go to the nearest multiple; 20 and 28 lie between two: upwards
    [(64, 1, 64), (64, 0.3, 16), (128, 0.3, 40), (64, 20 / 64, 24), (64, 28 / 64, 32), (64, 0.01, 8)],
)
def test_channels_are_rounded_to_multiples_of_eight(channels: int, width: float, scaled: int) -> None:
    assert scale_channels(channels, width) == scaled


def test_width_scales_stem_stages_and_head_together() -> None:
    model = _thin(width=0.25)
    assert model.stem.conv.out_channels == 16
    assert [stage.downsample.conv.out_channels for stage in model.stages] == [32, 64, 128]
    assert model.head.hidden.out_features == 64


def test_a_small_variant_has_the_parameters_counted_by_hand() -> None:
    """Width 1/8 without conv5, small stem, grey images, 10 classes: stem 8, stage 16, head 32."""
    off = {**ARTICLE_BRANCHES, "conv5": BranchSpec(block="conv", options={"kernel": 5}, on=False)}
    model = build(ModelSpec(stem=SMALL, width=0.125, depth=(2,), branches=off), num_classes=10, in_channels=1)

    # weights, biases, and two a channel for the norm
    stem = 72 + 8 + 16
    downsample = 8 * 16 * 9 + 16 + 32
    branches = 2 * (16 * 4 * 9 + 4 + 8) + (16 * 4 + 4 + 8)
    fusion = 12 * 16 + 16 + 32
    attention = 2 * (16 * 2 + 2) + (16 * 16 + 16) + 1
    head = (16 * 32 + 32) + (32 * 10 + 10)
    expected = stem + downsample + 2 * (branches + fusion + attention) + head
    assert sum(p.numel() for p in model.parameters()) == expected == 5836


def test_the_network_runs_under_bfloat16_autocast() -> None:
    model, x = _thin().train(), torch.randn(2, 3, 32, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(x)
        loss = nn.functional.cross_entropy(logits, torch.tensor([1, 2]))
    loss.backward()
    assert logits.dtype == torch.bfloat16
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_batch_is_classified_image_by_image() -> None:
    model, x = _thin().double().eval(), torch.randn(3, 3, 20, 20, dtype=torch.float64)
    torch.testing.assert_close(model(x), torch.cat([model(image[None]) for image in x]))


def test_channels_last_gives_the_same_numbers() -> None:
    model, x = _thin().double().eval(), torch.randn(2, 3, 20, 20, dtype=torch.float64)
    torch.testing.assert_close(model.to(memory_format=torch.channels_last)(x), model(x.contiguous()))


def test_the_network_runs_on_the_meta_device() -> None:
    with torch.device("meta"):
        assert _thin()(torch.empty(2, 3, 20, 24)).shape == (2, 10)


def test_a_stage_that_keeps_its_size_halves_nothing() -> None:
    spec = ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1, 1, 1), same_size_stages=(1,))
    network = build(spec, num_classes=10, in_channels=1)
    x = network.stem(torch.randn(2, 1, 16, 16))
    sizes = []
    for stage in network.stages:
        x = stage(x)
        sizes.append(tuple(x.shape[2:]))
    assert sizes == [(16, 16), (8, 8), (4, 4)]

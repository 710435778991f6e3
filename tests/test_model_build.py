import pytest
from torch import nn

from msanet_bench.errors import BlockError
from msanet_bench.model.attention.eca import ECA
from msanet_bench.model.build import build
from msanet_bench.model.catalogue import SLOTS
from msanet_bench.model.fusion.addition import Sum
from msanet_bench.spec import BlockSpec, BranchSpec, ModelSpec


def test_a_specification_chooses_the_block_of_every_slot() -> None:
    spec = ModelSpec(
        stem=BlockSpec(block="small"),
        branches={
            "wide": BranchSpec(block="depthwise", options={"kernel": 7, "dilation": 2}),
            "peak": BranchSpec(block="max_pool"),
            "idle": BranchSpec(block="conv", on=False),
        },
        fusion=BlockSpec(block="sum"),
        attention=BlockSpec(block="eca", options={"gamma": 1.0}),
        attention_stages=(1,),
        head=BlockSpec(block="mlp", options={"dropout": 0.25}),
        width=0.125,
        depth=(1, 1),
    )
    model = build(spec, num_classes=4, in_channels=1)
    first, second = (stage.blocks[0] for stage in model.stages)
    assert list(first.multi_scale.branches) == ["wide", "peak"]
    assert first.multi_scale.branches["wide"].reach == 6
    assert isinstance(first.multi_scale.fusion, Sum)
    assert isinstance(first.attention, ECA)
    assert first.attention.conv.kernel_size == (5,)  # |log2(16) / 1 + 1 / 1|
    assert list(second.attention.parameters()) == []
    assert model.head.dropout.p == 0.25
    assert model.stem.conv.in_channels == 1


def test_the_baseline_is_named_as_the_architecture_says() -> None:
    names = dict(build(ModelSpec(width=0.125, depth=(1,)), num_classes=2).named_modules())
    at = "stages.0.blocks.0"
    for name in ("stem.conv", "stages.0.downsample.conv", f"{at}.attention.core", "head.classifier"):
        assert name in names
    for branch in ("conv3", "conv5", "dilated", "context"):
        assert f"{at}.multi_scale.branches.{branch}.conv" in names
    assert f"{at}.multi_scale.fusion.conv" in names


def _branches(**branches: BranchSpec) -> ModelSpec:
    return ModelSpec(branches=branches, width=0.125, depth=(1,))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            ModelSpec(attention=BlockSpec(block="self_atention")),
            (
                "attention: unknown attention entry `self_atention`. "
                "Did you mean 'self_attention'? Known: axial, cbam, coordinate, eca, linear, none, se, "
                "self_attention, simam, window."
            ),
        ),
        (
            ModelSpec(attention=BlockSpec(block="eca", options={"gama": 2.0})),
            "attention.gama: unknown option of 'eca'. Did you mean 'gamma'? Known: b, gamma.",
        ),
        (
            _branches(conv5=BranchSpec(block="conv", options={"kernel": 4})),
            "branches.conv5.kernel: `kernel` must be odd and positive, but got (kernel=4).",
        ),
        (
            _branches(half=BranchSpec(block="conv")),
            "branches.half: torch keeps the name 'half' for itself. Give the branch another one.",
        ),
        (
            _branches(training=BranchSpec(block="conv")),
            "branches.training: torch keeps the name 'training' for itself. Give the branch another one.",
        ),
        (
            _branches(**{f"conv{i}": BranchSpec(block="conv") for i in range(17)}),
            "branches: every branch needs a channel, but got (branches=17, channels=16).",
        ),
    ],
)
def test_a_specification_that_makes_no_network_is_refused(spec: ModelSpec, message: str) -> None:
    with pytest.raises(BlockError) as error:
        build(spec, num_classes=10)
    assert str(error.value) == message


class Heads(nn.Module):
    """Fits the probe's channels and not the network's."""

    def __init__(self, channels: int, *, heads: int = 32) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"`heads` must divide `channels`, but got ({heads=}, {channels=}).")


def test_sizes_that_a_block_refuses_are_reported_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SLOTS["attention"]._entries, "heads", Heads)
    spec = ModelSpec(attention=BlockSpec(block="heads"), width=0.375, depth=(1,))
    with pytest.raises(BlockError, match=r"^attention: `heads` must divide .*\(heads=32, channels=48\)"):
        build(spec, num_classes=10)

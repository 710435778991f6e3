"""The article's network, rebuilt: names, parameter counts and outputs of tests/data/msanet_reference.json."""

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from msanet_bench.model.article import article_name, load_article_state_dict
from msanet_bench.model.attention.dot_product import Implementation, use_attention
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.branches.conv import Conv
from msanet_bench.model.branches.global_context import GlobalContext
from msanet_bench.model.build import build
from msanet_bench.model.fusion.concat import Concat
from msanet_bench.model.msanet import MSANet, MultiScaleBlock
from msanet_bench.spec import ARTICLE_BRANCHES, BlockSpec, BranchSpec, ModelSpec

REFERENCE = json.loads((Path(__file__).parent / "data" / "msanet_reference.json").read_text("ascii"))


def _wave(name: str, shape: Sequence[int]) -> Tensor:
    """The reference's weight of this name, by the formula that it states in `fill`."""
    phase = (zlib.crc32(name.encode()) % 1000) / 10
    wave = torch.sin(0.1 * torch.arange(math.prod(shape), dtype=torch.float64) + phase).reshape(shape)
    match name.rpartition(".")[2]:
        case "num_batches_tracked":
            return torch.tensor(0)
        case "running_var":
            return 1 + 0.5 * wave.square()
        case "gamma":
            return torch.full((1,), 0.5, dtype=torch.float64)
        case "bias" | "running_mean" if len(shape) == 1:
            return 0.1 * wave
        case _ if len(shape) == 1:
            return 1 + 0.1 * wave
    return wave / math.sqrt(math.prod(shape[1:]))


def _weights(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    return {name: _wave(name, shape) for name, shape in shapes.items()}


def _images(shape: Sequence[int]) -> Tensor:
    return torch.sin(0.01 * torch.arange(math.prod(shape), dtype=torch.float64)).view(*shape)


@pytest.fixture(scope="module")
def network() -> MSANet:
    model = build(ModelSpec(), num_classes=10).double().eval()
    load_article_state_dict(model, _weights(REFERENCE["state_dict"]))
    return model


@pytest.mark.parametrize("case", REFERENCE["model_num_classes_10"], ids=lambda case: str(case["input"][2:]))
@torch.no_grad()
def test_the_whole_network_gives_the_references_numbers(network: MSANet, case: dict[str, Any]) -> None:
    x = _images(case["input"])
    x = network.stem(x)
    shapes = {"stem": list(x.shape)}
    for number, stage in enumerate(network.stages, start=1):
        x = stage(x)
        shapes[f"stage{number}"] = list(x.shape)
    assert shapes == case["shapes"]
    assert float(x.sum()) == pytest.approx(case["features_sum"], rel=1e-9)
    expected = torch.tensor(case["logits"], dtype=torch.float64)
    torch.testing.assert_close(network(_images(case["input"])), expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"attention": BlockSpec(block="self_attention", options={"scaled": True})},
        {"branches": {**ARTICLE_BRANCHES, "dilated": BranchSpec(block="conv", options={"dilation": 3})}},
    ],
    ids=["scaled attention", "dilation 3"],
)
@torch.no_grad()
def test_the_reference_tells_variants_with_the_same_parameters_apart(changes: dict[str, Any]) -> None:
    model = build(ModelSpec(**changes), num_classes=10).double().eval()
    load_article_state_dict(model, _weights(REFERENCE["state_dict"]))
    case = REFERENCE["model_num_classes_10"][1]
    expected = torch.tensor(case["logits"], dtype=torch.float64)
    assert not torch.allclose(model(_images(case["input"])), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("num_classes", "parameters"), [(10, 15_172_498), (1000, 15_426_928)])
def test_the_network_has_the_references_parameters(num_classes: int, parameters: int) -> None:
    assert REFERENCE["parameters"][f"num_classes={num_classes}"] == parameters
    with torch.device("meta"):
        model = build(ModelSpec(), num_classes=num_classes)
    assert sum(p.numel() for p in model.parameters()) == parameters


def _assert_equals(output: Tensor, case: Mapping[str, Any]) -> None:
    first = torch.tensor(case["first_row"], dtype=torch.float64)
    torch.testing.assert_close(output[0, :, 0, 0], first, rtol=1e-9, atol=0)
    assert float(output.sum()) == pytest.approx(case["sum"], rel=1e-9)
    assert float(output.square().sum()) == pytest.approx(case["sum_of_squares"], rel=1e-9)


@torch.no_grad()
def test_the_multi_scale_block_alone_gives_the_references_numbers() -> None:
    case = REFERENCE["multi_scale_block_16_16"]
    branches = {
        "conv3": Conv,
        "conv5": partial(Conv, kernel=5),
        "dilated": partial(Conv, dilation=2),
        "context": GlobalContext,
    }
    block = MultiScaleBlock(16, branches=branches, fusion=Concat).double().eval()
    weights, at = _weights(case["state_dict"]), "stages.0.blocks.0.multi_scale."
    theirs = {name: article_name(at + name).removeprefix("stage1.1.") for name in block.state_dict()}
    block.load_state_dict({ours: weights[name] for ours, name in theirs.items()})
    _assert_equals(block(_images(case["input"])), case)


@pytest.mark.parametrize("implementation", ["explicit", "sdpa"])
@torch.no_grad()
def test_self_attention_alone_gives_the_references_numbers(implementation: Implementation) -> None:
    case = REFERENCE["self_attention_16"]
    block = SelfAttention(16).double().eval()
    use_attention(block, implementation)
    block.load_state_dict(_weights(case["state_dict"]))
    _assert_equals(block(_images(case["input"])), case)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("stem.0.weight", "stem.conv.weight"),
        ("stem.1.running_var", "stem.norm.running_var"),
        ("stage2.0.1.bias", "stages.1.downsample.norm.bias"),
        ("stage2.5.branch3.0.weight", "stages.1.blocks.2.multi_scale.branches.dilated.conv.weight"),
        ("stage3.1.branch4.2.bias", "stages.2.blocks.0.multi_scale.branches.context.norm.bias"),
        ("stage1.3.fusion.0.bias", "stages.0.blocks.1.multi_scale.fusion.conv.bias"),
        ("stage3.6.gamma", "stages.2.blocks.2.attention.gamma"),
        ("stage3.6.query.weight", "stages.2.blocks.2.attention.query.weight"),
        ("head.2.weight", "head.hidden.weight"),
        ("head.5.bias", "head.classifier.bias"),
    ],
)
def test_names_of_the_article_have_their_counterpart(theirs: str, ours: str) -> None:
    assert article_name(ours) == theirs


def test_every_name_of_the_article_is_reached_once() -> None:
    with torch.device("meta"):
        ours = build(ModelSpec(), num_classes=10).state_dict()
    assert sorted(map(article_name, ours)) == sorted(REFERENCE["state_dict"])


def test_any_number_of_classes_is_loaded() -> None:
    shapes = {**REFERENCE["state_dict"], "head.5.weight": [3, 256], "head.5.bias": [3]}
    model = build(ModelSpec(), num_classes=3).double()
    load_article_state_dict(model, _weights(shapes))
    assert torch.equal(model.head.classifier.bias, _wave("head.5.bias", [3]))


def test_a_checkpoint_that_does_not_fit_is_refused_with_every_name() -> None:
    model = build(ModelSpec(), num_classes=10).double()
    before = model.stem.conv.bias.clone()
    weights = _weights(REFERENCE["state_dict"])
    del weights["stage1.2.gamma"]
    weights["stage1.7.gamma"] = torch.zeros(1)
    weights["head.5.bias"] = torch.zeros(7)
    with pytest.raises(ValueError, match="must fit") as error:
        load_article_state_dict(model, weights)
    assert str(error.value) == (
        "the checkpoint must fit the model, but stage1.2.gamma is missing; stage1.7.gamma has no place; "
        "head.5.bias has the shape (7,), not (10,)."
    )
    assert torch.equal(model.stem.conv.bias, before)


def test_a_variant_does_not_take_the_articles_checkpoint() -> None:
    model = build(ModelSpec(attention=BlockSpec(block="none")), num_classes=10)
    with pytest.raises(ValueError, match=r"stage1\.2\.gamma has no place"):
        load_article_state_dict(model, _weights(REFERENCE["state_dict"]))

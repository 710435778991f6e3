"""Live networks against published counts and against sums worked out by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from msanet_bench.checks import load_experiment
from msanet_bench.claims.live import live_number
from msanet_bench.claims.networks import built
from msanet_bench.claims.spec import Claim, Network, Statistic
from msanet_bench.measure.receptive_field import effective_strength
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.build import start
from msanet_bench.model.slots import ATTENTION
from msanet_bench.testing import check_block

ROOT = Path(__file__).parents[1]
REFERENCE = json.loads((ROOT / "tests" / "data" / "msanet_reference.json").read_text("utf-8"))
# maps of 12, 6 and 3 positions a side
SMALL = Network(image=(3, 96, 96), classes=10, model={"width": 0.25})
NO_CONTEXT = {"branches.context": "off"}
WINDOWS_ALONE = {"branches.context": "off", "attention": "none"}


def number(statistic: Statistic, network: Network, changes: Mapping[str, Any], behind: str = "head") -> float:
    claim = Claim(
        name="x",
        sentence="S.",
        source="me",
        declared="open",
        statistic=statistic,
        equals=0,
        network="x",
        behind=behind,
    )
    return live_number(claim, network, changes)


@pytest.mark.parametrize("classes", [10, 1000])
def test_parameters_are_those_of_the_published_reference(classes: int) -> None:
    counted = number("params", Network(classes=classes), {})
    assert counted == REFERENCE["parameters"][f"num_classes={classes}"]


def test_what_compression_saves_is_what_the_sizes_say() -> None:
    """With all channels, query and key are C wide instead of C / 8; P positions look at each other."""
    maps = [(2, 32, 12 * 12), (3, 64, 6 * 6), (3, 128, 3 * 3)]
    wider = [(blocks, channels, positions, channels - channels // 8) for blocks, channels, positions in maps]
    weights = sum(blocks * 2 * (channels + 1) * more for blocks, channels, _, more in wider)
    products = sum(
        blocks * (2 * positions * channels * more + positions**2 * more)
        for blocks, channels, positions, more in wider
    )
    for statistic, saved in (("params", weights), ("macs", products)):
        whole = number(statistic, SMALL, {"attention.reduction": 1})  # type: ignore[arg-type]
        assert whole - number(statistic, SMALL, {}) == saved  # type: ignore[arg-type]


def test_attention_without_its_residual_is_what_self_attention_adds_to_its_input() -> None:
    """The plug-in beside the experiment whose results a claim rests on."""
    load_experiment(ROOT / "experiments" / "residual" / "residual.yaml")
    check_block("attention", "bare_attention")
    whole, bare = SelfAttention(16), ATTENTION["bare_attention"](16)
    bare.load_state_dict({name: value for name, value in whole.state_dict().items() if name != "gamma"})
    images = torch.randn(2, 16, 5, 4)
    with torch.no_grad():
        whole.gamma.fill_(1)
        assert torch.allclose(whole(images) - images, bare(images), atol=1e-6)


def test_the_receptive_field_is_that_of_the_windows_worked_out_by_hand() -> None:
    # stem 7 (stride 2), its pool 3 (2), downsample 3 (2), two kernels of 5: 7 + 2*2 + 2*4 + 2 * 4*8
    assert number("receptive_field", SMALL, {}, behind="stages.1") == 83
    # the rest: downsample 3 at stride 8, three kernels of 5 at 16, downsample 3 at 16, three of 5 at 32
    assert number("receptive_field", SMALL, {}) == 83 + 2 * 8 + 3 * 4 * 16 + 2 * 16 + 3 * 4 * 32


def test_the_dilated_branch_reaches_as_far_as_the_one_of_5x5_and_no_farther() -> None:
    """Half of what a kernel of 5 reaches beyond its centre, a kernel of 3 reaches."""
    without = number("receptive_field", SMALL, {"branches.dilated": "off"})
    assert without == number("receptive_field", SMALL, {})
    alone = {"branches.conv3": "off", "branches.conv5": "off"}
    narrow = {**alone, "branches.dilated.dilation": 1}
    wider = number("receptive_field", SMALL, alone) - number("receptive_field", SMALL, narrow)
    assert wider == 2 * (2 * 8 + 3 * 16 + 3 * 32)


def test_the_reach_of_windows_is_their_square_and_attention_or_context_reach_everything() -> None:
    """The window of 83 pixels around the centre lies within the image of 96."""
    reached = [
        number("reach", SMALL, changes, behind="stages.1")
        for changes in (WINDOWS_ALONE, NO_CONTEXT, {"attention": "none"})
    ]
    assert reached == [pytest.approx(83**2 / 96**2), 1, 1]


def test_without_opened_gates_attention_would_reach_no_farther() -> None:
    """The twin: at the start, when `gamma` is 0, the gradients stay within the window."""
    model = built(SMALL, NO_CONTEXT, lambda spec, **sizes: start(spec, 0, **sizes)).double()
    strength_HW, _ = effective_strength(model, (3, 96, 96), behind="stages.1", num_images=1)
    assert strength_HW is not None
    assert float((strength_HW > 0).double().mean()) == pytest.approx(83**2 / 96**2)


@pytest.mark.parametrize(("attention", "changes"), [("self_attention", False), ("none", False), ("se", True)])
def test_attention_passes_on_its_input_at_the_start_unless_it_has_no_residual(
    attention: str, *, changes: bool
) -> None:
    network = Network(image=(1, 16, 16), classes=2, model={"stem": "small", "width": 0.125, "depth": [1]})
    assert (number("attention_at_start", network, {"attention": attention}) > 0) is changes

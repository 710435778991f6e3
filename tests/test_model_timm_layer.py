"""Layers of timm by their names: what is theirs, what may be set, and what a user without timm reads."""

import sys

import pytest
import torch

from msanet_bench.errors import BlockError
from msanet_bench.measure.macs import count_macs
from msanet_bench.model.attention import ATTENTION
from msanet_bench.model.attention.eca import ECA
from msanet_bench.model.build import build
from msanet_bench.registry import OptionProblem
from msanet_bench.spec import BlockSpec, ModelSpec
from msanet_bench.testing import check_block


def test_without_timm_one_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm.layers", None)
    assert list(ATTENTION.problems("timm:eca", {})) == [
        OptionProblem(
            None,
            "blocks that begin with `timm:` need timm, which is not installed. "
            'Install it: pip install "msanet-bench[timm]".',
        )
    ]


@pytest.mark.parametrize("name", ["se", "ese", "eca", "ceca", "gc", "coord", "ela", "strip"])
def test_layers_of_timm_keep_the_contract(name: str) -> None:
    pytest.importorskip("timm")
    check_block("attention", f"timm:{name}")


def test_timms_eca_is_ours() -> None:
    pytest.importorskip("timm")
    model = build(ModelSpec(width=0.125, depth=(1,), attention=BlockSpec(block="timm:eca")), num_classes=3)
    (theirs,) = (m for m in model.modules() if type(m).__module__ == "timm.layers.eca")
    ours, x = ECA(16), torch.randn(2, 16, 5, 3)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(theirs(x), ours(x))
    macs = count_macs(model, (3, 32, 32))
    assert macs.status == "exact by two counters: no formula for timm.layers.eca.EcaModule"


@pytest.mark.parametrize(
    ("name", "options", "option", "message"),
    [
        ("timm:eca", {"gamma": "2"}, "gamma", "must be a number, but got '2'."),
        ("timm:se", {"rd_ration": 0.5}, "rd_ration", "unknown option of 'timm:se'. Did you mean 'rd_ratio'?"),
        # layers and devices are no words of YAML
        ("timm:se", {"act_layer": "x"}, "act_layer", "unknown option of 'timm:se'."),
        ("timm:eka", {}, None, "unknown attention entry `timm:eka`: timm's `get_attn` has no layer of this"),
        ("timm:bottleneck", {}, None, "`timm:bottleneck` cannot be built: A concrete feature size"),
    ],
)
def test_what_timm_does_not_take_is_refused_before_anything_is_built(
    name: str, options: dict[str, object], option: str | None, message: str
) -> None:
    pytest.importorskip("timm")
    (problem,) = ATTENTION.problems(name, options)
    assert problem.option == option
    assert problem.message.startswith(message)


def test_options_of_timm_reach_the_layer() -> None:
    pytest.importorskip("timm")
    assert ATTENTION["timm:se"](16, rd_channels=5).fc1.out_channels == 5
    assert ATTENTION.resolve("timm:se", {"rd_channels": 5})["rd_channels"] == 5


def test_a_norm_that_holds_an_activation_too_is_not_exchanged_and_loses_nothing() -> None:
    pytest.importorskip("timm")
    kinds = {"attention": BlockSpec(block="timm:sk"), "norm": BlockSpec(block="group")}
    with pytest.raises(BlockError, match=r"^norm: must exchange norms .* has a BatchNormAct2d, which"):
        build(ModelSpec(width=0.125, depth=(1,), **kinds), num_classes=3)
    # norms of torch's own are exchanged in blocks of timm too
    kinds["attention"] = BlockSpec(block="timm:coord")
    model = build(ModelSpec(width=0.125, depth=(1,), **kinds), num_classes=3)
    assert not [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import write_experiment
from msanet_bench import profile
from msanet_bench.checks import CheckedPlan, check_plan, load_experiment
from msanet_bench.checks.shapes import ImageShape
from msanet_bench.errors import BenchError
from msanet_bench.measure.macs import Counts, Macs
from msanet_bench.profile import Costs, only_variant, profile_json, profile_variants, write_profile
from msanet_bench.report.inputs import read_inputs

# a plug-in with a convolution, and one whose operation no counter knows
BLOCKS = """
import torch
from torch import nn
from msanet_bench.model.slots import ATTENTION

@ATTENTION.register("plain")
class Plain(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return self.conv(x)

@ATTENTION.register("unknown")
class Unknown(Plain):
    def forward(self, x):
        return torch.einsum("nchw,ncwk->nchk", x, self.conv(x).transpose(2, 3))
"""


@pytest.fixture
def plan(tmp_path: Path) -> CheckedPlan:
    (tmp_path / "blocks.py").write_text(BLOCKS, encoding="utf-8")
    text = (
        write_experiment(tmp_path).read_text(encoding="utf-8").replace("none, se]", "none, plain, unknown]")
    )
    return check_plan(load_experiment(write_experiment(tmp_path, f"{text}plugins: [blocks.py]\n")), tmp_path)


def test_the_profile_holds_what_each_network_costs_by_part(plan: CheckedPlan, tmp_path: Path) -> None:
    write_profile(tmp_path, profile_variants(plan))
    variants = json.loads((tmp_path / "profile.json").read_text(encoding="utf-8"))["variants"]
    assert list(variants) == ["baseline", "attention=none", "attention=plain", "attention=unknown"]
    baseline = variants["baseline"]
    assert baseline["input"] == [1, 8, 8]
    assert baseline["macs_status"] == "exact"
    assert baseline["macs_sources"] == ["fvcore", "FlopCounterMode", "formulas"]
    assert sum(baseline["params_by_part"].values()) == baseline["params"]
    assert sum(baseline["macs_by_part"].values()) == baseline["macs"]
    assert baseline["flops"] == 2 * baseline["macs"]
    # a map of 4 x 4 with 16 channels: query, key and value 2, 2 and 16 wide; the attended map and its weights
    core = {part: amount for part, amount in baseline["macs_by_part"].items() if part.startswith("attention")}
    assert core == {
        "attention.query": 16 * 16 * 2,
        "attention.key": 16 * 16 * 2,
        "attention.value": 16 * 16 * 16,
        "attention.core": 16 * 16 * (2 + 16),
    }
    assert baseline["activations"] - variants["attention=none"]["activations"] == 16 * 20 + 16 * (16 + 16)
    assert baseline["activations"] == baseline["activations_fvcore_stock"]
    # stock fvcore adds 2 for each element of a batch norm: stem 8 x 64, downsample 16 x 16, three branches of
    # 4 x 16 and one of 4 x 1, fusion 16 x 16
    norms = 8 * 64 + 16 * 16 + 3 * 4 * 16 + 4 + 16 * 16
    assert baseline["fvcore_flops_stock"] == baseline["macs"] + 2 * norms
    assert "attention" not in " ".join(variants["attention=none"]["params_by_part"])


def test_a_plugin_without_a_formula_is_counted_and_marked(plan: CheckedPlan) -> None:
    costs = profile_json(profile_variants(plan))["variants"]["attention=plain"]
    assert costs["macs_status"].startswith("exact by two counters: no formula for msanet_bench_plugin_")
    assert costs["macs_status"].endswith(".Plain")
    assert costs["macs_sources"] == ["fvcore", "FlopCounterMode"]
    assert costs["macs_by_part"]["attention.conv"] == 16 * 16 * 16


def test_an_unknown_operation_leaves_no_number(plan: CheckedPlan) -> None:
    counted = profile_variants(plan)["attention=unknown"]
    costs = counted.to_json()
    assert costs["macs_status"] == "incomplete: no rule for aten::einsum"
    assert (costs["macs"], costs["flops"], costs["activations"], costs["macs_by_part"]) == (None,) * 3 + ({},)
    assert set(counted.measures()) == {"params"}


def test_an_exact_count_by_two_counters_stands_in_the_records(plan: CheckedPlan) -> None:
    counted = profile_variants(plan)
    assert set(counted["attention=plain"].measures()) == {"params", "macs"}


def test_an_incomplete_count_is_never_shown_as_a_number() -> None:
    macs = Macs(5, {"stem": 5}, "incomplete: no rule for aten::mv", ("fvcore",), flops_fvcore_stock=None)
    counts = Counts(macs, activations=None, activations_fvcore_stock=3)
    costs = Costs(ImageShape(1, 8, 8, 3), params=7, params_by_part={"stem": 7}, counts=counts)
    assert set(costs.measures()) == {"params"}
    assert (costs.to_json()["macs"], costs.to_json()["flops"], costs.to_json()["macs_by_part"]) == (
        None,
        None,
        {},
    )


def test_variants_that_differ_in_training_alone_are_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_experiment(tmp_path).read_text(encoding="utf-8")
    text = text.replace("  attention: [self_attention, none, se]", "  train.lr: [1e-2, 1e-3, 1e-4]")
    trained = check_plan(load_experiment(write_experiment(tmp_path, text)), tmp_path)
    counts = []
    monkeypatch.setattr(profile, "count", lambda *given: counts.append(given))
    assert len(profile_variants(trained)) == 3
    assert len(counts) == 1


def test_a_report_reads_a_profile(plan: CheckedPlan, small_results: Path, tmp_path: Path) -> None:
    for file in small_results.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_profile(tmp_path, profile_variants(plan))
    read = read_inputs(tmp_path).profiles
    assert read["baseline"].macs == profile_variants(plan)["baseline"].counts.macs.total
    assert read["attention=unknown"].macs is None


def test_one_variant_is_asked_for_by_its_name(plan: CheckedPlan) -> None:
    assert list(profile_variants(only_variant(plan, "attention=none"))) == ["attention=none"]
    with pytest.raises(BenchError, match=r"no variant `attention=nome`\. Did you mean 'attention=none'\?"):
        only_variant(plan, "attention=nome")
    merged = replace(plan, merged={**plan.merged, "baseline": ("twin",)})
    with pytest.raises(BenchError, match="`twin` is the same network as `baseline`: ask for that"):
        only_variant(merged, "twin")

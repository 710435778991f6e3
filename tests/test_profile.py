import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from experiments import COMMITTED, write_experiment
from msanet_bench.checks import CheckedPlan, catalog, check_plan, load_experiment
from msanet_bench.checks.shapes import ImageShape
from msanet_bench.errors import BenchError
from msanet_bench.measure.macs import Counts, Macs
from msanet_bench.plan import enumerate_variants
from msanet_bench.profile import Profile, only_variant, profile_json, profile_variants, write_profile
from msanet_bench.profile.costs import costs_of
from msanet_bench.report.inputs import read_inputs

SIDES = {"digits": 8, "fashion_mnist": 28, "cifar10": 32}

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


def profiled(plan: CheckedPlan, workers: int | None = None) -> Profile:
    # files of plug-ins are known by their absolute paths
    path = sys.modules["msanet_bench_plugin_blocks"].__file__
    return profile_variants(plan, plugins=[str(path)], workers=workers)


def test_the_profile_holds_what_each_network_costs_by_part(plan: CheckedPlan, tmp_path: Path) -> None:
    write_profile(tmp_path, profiled(plan))
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
    costs = profile_json(profiled(plan))["variants"]["attention=plain"]
    assert costs["macs_status"].startswith("exact by two counters: no formula for msanet_bench_plugin_")
    assert costs["macs_status"].endswith(".Plain")
    assert costs["macs_sources"] == ["fvcore", "FlopCounterMode"]
    assert costs["macs_by_part"]["attention.conv"] == 16 * 16 * 16


def test_an_unknown_operation_leaves_no_number(plan: CheckedPlan) -> None:
    counted = profiled(plan)["attention=unknown"]
    costs = counted.to_json()
    assert costs["macs_status"] == "incomplete: no rule for aten::einsum"
    assert (costs["macs"], costs["flops"], costs["activations"], costs["macs_by_part"]) == (None,) * 3 + ({},)
    assert set(counted.measures()) == {"params"}


def test_an_exact_count_by_two_counters_stands_in_the_records(plan: CheckedPlan) -> None:
    counted = profiled(plan)
    assert set(counted["attention=plain"].measures()) == {"params", "macs"}


def test_an_incomplete_count_is_never_shown_as_a_number(plan: CheckedPlan) -> None:
    macs = Macs(5, {"stem": 5}, "incomplete: no rule for aten::mv", ("fvcore",), flops_fvcore_stock=None)
    counts = Counts(macs, activations=None, activations_fvcore_stock=3)
    costs = replace(profiled(only_variant(plan, "attention=none"))["attention=none"], counts=counts)
    assert set(costs.measures()) == {"params"}
    said = costs.to_json()
    assert (said["macs"], said["flops"], said["macs_by_part"]) == (None, None, {})


# whether a unit's field is known; who cuts a map into pieces or works along one axis is not followed
FIELD_IS_KNOWN = {
    "{attention: {heads: 2, pool: 2}}": True,
    "{attention: linear}": True,
    "{attention: {block: window, window: 3}}": False,
    "{attention: axial}": False,
    "{attention: cbam}": True,
    "{attention: coordinate}": False,
    "{attention: simam}": True,
    "{fusion: selective_kernel}": True,
    "{fusion: gated}": True,
}


@pytest.mark.parametrize("change", FIELD_IS_KNOWN)
def test_every_cost_of_newer_blocks_is_told_or_said_to_be_unknown(change: str, tmp_path: Path) -> None:
    text = write_experiment(tmp_path).read_text(encoding="utf-8")
    text = text.replace("factors:\n  attention: [self_attention, none, se]", f"variants: [{change}]")
    text = text.replace("design: one_at_a_time", "design: list")
    plan = check_plan(load_experiment(write_experiment(tmp_path, text)), tmp_path)
    variant = plan.variants[1]
    costs = costs_of(variant, plan.shapes[variant.name])
    assert costs.counts.macs.status == "exact"
    assert costs.effective.status == "measured"
    assert costs.memory.status == "estimated"
    assert (costs.theoretical.status == "exact") == FIELD_IS_KNOWN[change]
    assert costs.theoretical.status == "exact" or costs.theoretical.status.startswith("not known (")


def trained_plan(folder: Path, factor: str) -> CheckedPlan:
    text = write_experiment(folder).read_text(encoding="utf-8")
    text = text.replace("  attention: [self_attention, none, se]", f"  {factor}")
    return check_plan(load_experiment(write_experiment(folder, text)), folder)


def test_variants_that_differ_in_training_alone_are_counted_once(tmp_path: Path) -> None:
    counted = profile_variants(trained_plan(tmp_path, "train.lr: [1e-2, 1e-3, 1e-4]"))
    assert len(counted) == 3
    # what travelled from a child once is one object
    assert len({id(costs) for costs in counted.values()}) == 1


def test_each_batch_size_has_its_own_memory(tmp_path: Path) -> None:
    counted = profile_variants(trained_plan(tmp_path, "train.batch_size: [16, 32]"))
    small, large = (costs.to_json() for costs in counted.values())
    assert (small["train_batch"], large["train_batch"]) == (16, 32)
    assert set(large["peak_est_bytes"]) == {"inference_batch_1", "train_batch_32"}
    assert small["peak_est_bytes"]["inference_batch_1"] == large["peak_est_bytes"]["inference_batch_1"]
    # what a norm keeps of a batch, two numbers a channel, does not grow with it: stem 8, downsample and
    # fusion 16 each, four branches of 4
    kept = 2 * (8 + 16 + 16 + 4 * 4) * 4
    assert large["saved_bytes"] - kept == 2 * (small["saved_bytes"] - kept)


def test_parts_of_an_inventory_add_up(plan: CheckedPlan) -> None:
    for costs in profile_json(profiled(plan))["variants"].values():
        for kept in ("trainable_params", "frozen_params", "buffers", "state_bytes"):
            assert sum(part[kept] for part in costs["inventory_by_part"].values()) == costs[kept]
        assert costs["trainable_params"] + costs["frozen_params"] == costs["params"]
        assert sum(costs["params_by_part"].values()) == costs["params"]


def test_the_field_of_each_variant_and_who_sees_the_whole_map(plan: CheckedPlan) -> None:
    fields = {name: costs.to_json()["receptive_field"] for name, costs in profiled(plan).items()}
    baseline = fields["baseline"]
    # stem 3, the halving 2, and its block reaches 2 steps of 2 pixels to either side
    assert baseline["theoretical"] == {"height": 13, "width": 13}
    assert baseline["whole_map_by"] == ["branches.context", "attention.core"]
    assert 0 < baseline["effective_side"] <= 8
    assert fields["attention=none"]["whole_map_by"] == ["branches.context"]
    assert fields["attention=unknown"]["theoretical"] is None
    assert "einsum" not in fields["attention=unknown"]["theoretical_status"]  # which torch takes apart


def test_the_order_is_that_of_the_plan_however_many_processes_count(plan: CheckedPlan) -> None:
    one, many = profiled(plan, workers=1), profiled(plan, workers=3)
    assert profile_json(one) == profile_json(many)
    assert list(one) == list(many) == [variant.name for variant in plan.variants]


def test_a_child_counts_as_this_process_does(plan: CheckedPlan) -> None:
    torch.set_num_threads(1)
    variant = plan.variants[2]
    assert profiled(plan)[variant.name] == costs_of(variant, plan.shapes[variant.name])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("planted_crash", "training not estimated (the worker process was killed by SIGSEGV)"),
        ("planted_error", "training not estimated (RuntimeError: planted: shapes do not fit)"),
        ("planted_memory_error", "training not estimated (MemoryError: planted: no memory left)"),
    ],
)
def test_what_fails_in_training_is_counted_all_the_same(fault: str, reason: str, tmp_path: Path) -> None:
    text = write_experiment(tmp_path).read_text(encoding="utf-8").replace("none, se]", f"{fault}]")
    plugin = Path(__file__).parent / "planted.py"
    (tmp_path / "planted.py").write_bytes(plugin.read_bytes())
    experiment = load_experiment(write_experiment(tmp_path, f"{text}plugins: [planted.py]\n"))
    faulty_plan = check_plan(experiment, tmp_path)
    counted = profile_variants(faulty_plan, plugins=experiment.plugins, plugin_folder=tmp_path)
    said = counted[f"attention={fault}"].to_json()
    assert said["peak_est_status"] == reason
    assert (said["saved_bytes"], said["peak_est_bytes"]["train_batch_16"]) == (None, None)
    assert said["peak_est_bytes"]["inference_batch_1"] > said["state_bytes"]
    assert counted["baseline"].memory.status == "estimated"


def test_a_network_that_kills_its_process_in_any_case_is_named(
    plan: CheckedPlan,
) -> None:
    variant = plan.variants[0]
    doomed = replace(plan, variants=(variant,), shapes={variant.name: ImageShape(1, 1, 1, 3)})
    with pytest.raises(BenchError, match=r"variant `baseline`: its network cannot be counted \(the worker"):
        profiled(doomed)


def test_a_report_reads_a_profile(plan: CheckedPlan, small_results: Path, tmp_path: Path) -> None:
    for file in small_results.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_profile(tmp_path, profiled(plan))
    read = read_inputs(tmp_path).profiles
    assert read["baseline"].macs == profiled(plan)["baseline"].counts.macs.total
    assert read["attention=unknown"].macs is None


def test_one_variant_is_asked_for_by_its_name(plan: CheckedPlan) -> None:
    assert list(profiled(only_variant(plan, "attention=none"))) == ["attention=none"]
    with pytest.raises(BenchError, match=r"no variant `attention=nome`\. Did you mean 'attention=none'\?"):
        only_variant(plan, "attention=nome")
    merged = replace(plan, merged={**plan.merged, "baseline": ("twin",)})
    with pytest.raises(BenchError, match="`twin` is the same network as `baseline`: ask for that"):
        only_variant(merged, "twin")


# they cut a map into pieces, work along one axis, or see unlike parts from place to place
NOT_FOLLOWED = (
    *("attention=window", "attention=axial", "attention=coordinate", "model=timm:test_vit"),
    *("=deformable", "=pyramid_pool"),
)


# what they put together or leave out, `ablation` and `fashion_mnist_pilot` do with fewer and thinner networks
THIN = [file for file in COMMITTED if file.stem not in {"imagenet_folder", "fashion_mnist"}]


@pytest.mark.slow
@pytest.mark.parametrize("file", THIN, ids=lambda file: file.stem)
def test_every_variant_of_every_experiment_is_wholly_profiled(file: Path) -> None:
    experiment = load_experiment(file)
    variants = enumerate_variants(experiment, catalog())
    side = experiment.data.resize or SIDES[experiment.data.dataset]
    shape = ImageShape(3, side, side, 10)
    plan = CheckedPlan(
        variants, {v.name: () for v in variants}, (), (), {v.name: shape for v in variants}, {}, ()
    )
    for name, costs in profile_json(profile_variants(plan))["variants"].items():
        for kept in ("trainable_params", "frozen_params", "buffers", "state_bytes"):
            assert sum(part[kept] for part in costs["inventory_by_part"].values()) == costs[kept]
        assert sum(costs["params_by_part"].values()) == costs["params"] == costs["trainable_params"]
        assert sum(costs["macs_by_part"].values()) == costs["macs"]
        macs_status, _, _ = costs["macs_status"].partition(" by two counters")
        assert (macs_status, costs["peak_est_status"]) == ("exact", "estimated")
        assert (costs["macs_status"] == "exact") == ("model=" not in name)
        # what is alive at once holds the state, and in training gradients' and AdamW's as well
        infer, train = costs["peak_est_bytes"].values()
        assert costs["state_bytes"] < infer < train
        assert costs["saved_bytes"] < train
        field = costs["receptive_field"]
        is_followed = not any(kind in name for kind in NOT_FOLLOWED)
        assert is_followed == (
            field["theoretical_status"] in {"exact", "no unit sees through windows alone"}
        ), name
        if "vit" in name:
            assert field["effective_status"] == "not measured (`head` takes no map)"
            continue
        assert field["effective_status"] == "measured"
        assert 0 < field["effective_side"] <= side

from pathlib import Path

import pytest

from experiments import COMMITTED, write_experiment
from msanet_bench.checks import CheckedPlan, catalog, check_plan, load_experiment
from msanet_bench.errors import BenchError, DataError
from msanet_bench.plan import enumerate_variants

EXPERIMENTS = Path(__file__).parents[1] / "experiments"

# baseline included: 2^5 combinations; four branches, attention and dilation left out; attention left out
VARIANTS = {
    "branches": 13,
    "capacity": 9,
    "dilation": 9,
    "families": 6,
    "ablation": 32,
    "attention": 12,
    "fashion_mnist": 64,
    "fashion_mnist_pilot": 7,
    "faster": 3,
    "fusion": 4,
    "imagenet_folder": 7,
    "smoke": 2,
}

BASE = """
delta: 1 pp
baseline: {stem: small, width: 0.125, depth: [1, 1, 1]}
data: {dataset: digits}
train: {epochs: 1}
"""


GAIN = """
import torch
from torch import nn
from msanet_bench.model.slots import ATTENTION

@ATTENTION.register("gain")
class Gain(nn.Module):
    def __init__(self, channels, *, start: float = 1.0):
        super().__init__()
        self.gain = nn.Parameter(torch.full((channels, 1, 1), start))

    def forward(self, x):
        return x * self.gain
"""


DROP_PATH = """
import torch
from torch import nn
from msanet_bench.model.slots import ATTENTION

@ATTENTION.register("drop_path")
class DropPath(nn.Module):
    def __init__(self, channels, *, p: float = 0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        kept = torch.rand(len(x), 1, 1, 1, dtype=x.dtype) >= self.p
        return x * kept / (1 - self.p)
"""

REACHING = """
from torch import nn
from msanet_bench.model.branches.conv import Conv
from msanet_bench.model.slots import ATTENTION, BRANCHES

@BRANCHES.register("double_conv")
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.first = Conv(in_channels, out_channels, kernel=5)
        self.second = Conv(out_channels, out_channels, kernel=5)

    def forward(self, x):
        return self.second(self.first(x))

@ATTENTION.register("reaching")
class Reaching(nn.Module):
    reach = 7

    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        return x + 0
"""

UNCOUNTED = """
import torch
from torch import nn
from msanet_bench.model.slots import ATTENTION

@ATTENTION.register("einsum")
class Einsum(nn.Module):
    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        return torch.einsum("nchw,nchw->nchw", x, x)
"""


def _check(folder: Path, text: str) -> CheckedPlan:
    return check_plan(load_experiment(write_experiment(folder, text)), folder)


def _names(plan: CheckedPlan) -> list[str]:
    return [variant.name for variant in plan.variants]


def test_the_same_network_under_two_names_is_trained_once_and_the_plan_says_so(tmp_path: Path) -> None:
    plan = _check(
        tmp_path, BASE + "factors: {attention: [self_attention, none], attention_stages: [[1], []]}\n"
    )
    assert _names(plan) == ["baseline", "attention_stages=1", "attention_stages=none"]
    assert set(plan.merged["attention_stages=none"]) == {
        "attention=none,attention_stages=1",
        "attention=none,attention_stages=none",
    }
    assert any(note.startswith("`attention_stages=none` is the same as") for note in plan.notes)


def test_a_listed_variant_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    text = BASE.replace("[1, 1, 1]}", "[1, 1, 1], attention: none}")
    text += "design: list\nvariants: [{attention_stages: [3]}]\n"
    with pytest.raises(BenchError, match="`attention_stages=3` changes nothing: same modules, parameters"):
        _check(tmp_path, text)


def test_twins_are_not_merged_when_they_are_asked_for(tmp_path: Path) -> None:
    plan = _check(tmp_path, BASE + "design: list\nvariants: [{replicate: 1}, {replicate: 2}]\n")
    assert _names(plan) == ["baseline", "replicate=1", "replicate=2"]


def test_an_option_that_shows_neither_in_modules_nor_in_parameters_still_makes_a_variant(
    tmp_path: Path,
) -> None:
    """Scaled attention has the same modules and parameters, and the same output at its start (gamma 0)."""
    plan = _check(tmp_path, BASE + "factors: {attention.scaled: [false, true]}\n")
    assert _names(plan) == ["baseline", "attention.scaled=on"]


@pytest.mark.parametrize(
    ("source", "block", "option"), [(GAIN, "gain", "start"), (DROP_PATH, "drop_path", "p")]
)
def test_an_option_that_acts_at_the_start_or_in_training_alone_still_makes_a_variant(
    tmp_path: Path, source: str, block: str, option: str
) -> None:
    (tmp_path / "lab.py").write_text(source, encoding="utf-8")
    listed = ", ".join(f"{{attention: {{block: {block}, {option}: {value}}}}}" for value in (0.5, 0.25))
    plan = _check(tmp_path, BASE + f"plugins: [lab.py]\ndesign: list\nvariants: [{listed}]\n")
    assert _names(plan) == ["baseline", *(f"attention={block}({option}={value})" for value in (0.5, 0.25))]


def test_a_momentum_that_the_optimiser_does_not_take_changes_nothing(tmp_path: Path) -> None:
    text = BASE + "factors: {train.momentum: [0.9, 0.5], train.optimiser: [adamw, sgd]}\n"
    plan = _check(tmp_path, text)
    assert plan.merged["baseline"] == ("train.momentum=0.5",)
    assert len(plan.variants) == 3


def test_a_resize_to_the_size_of_the_images_changes_nothing(tmp_path: Path) -> None:
    plan = _check(tmp_path, BASE + "factors: {data.resize: [null, 8, 16]}\n")
    assert plan.merged["baseline"] == ("data.resize=8",)
    assert len(plan.variants) == 2


def test_training_keys_make_variants_of_one_network(tmp_path: Path) -> None:
    plan = _check(tmp_path, BASE + "factors: {train.lr: [1e-3, 1e-2]}\n")
    assert _names(plan) == ["baseline", "train.lr=0.001", "train.lr=0.01"]


def test_constraints_keep_variants_from_training_and_say_why(tmp_path: Path) -> None:
    text = BASE + "factors: {width: [0.125, 0.25]}\nconstraints: [params <= 150k]\n"
    plan = _check(tmp_path, text)
    assert _names(plan) == ["baseline"]
    (excluded,) = plan.excluded
    assert excluded.name == "width=0.25"
    assert "but params <= 150000 is asked for" in excluded.reason


def test_operations_constrain_too(tmp_path: Path) -> None:
    text = BASE + "factors: {attention: [self_attention, none]}\nconstraints: [macs >= 420k]\n"
    assert _names(_check(tmp_path, text)) == ["baseline"]


def test_operations_that_cannot_be_counted_constrain_nothing(tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text(UNCOUNTED, encoding="utf-8")
    text = BASE + "plugins: [sums.py]\nfactors: {attention: [self_attention, einsum]}\n"
    message = (
        r"variant `attention=einsum`: `macs <= 1000000` needs an exact count, but .* incomplete: no rule"
    )
    with pytest.raises(BenchError, match=message):
        _check(tmp_path, text + "constraints: [macs <= 1M]\n")
    assert len(_names(_check(tmp_path, text + "constraints: [params <= 1M]\n"))) == 2


def test_a_constraint_that_the_baseline_breaks_is_refused(tmp_path: Path) -> None:
    text = BASE + "factors: {attention: [self_attention, none]}\nconstraints: [macs <= 420k]\n"
    with pytest.raises(BenchError, match="the baseline itself is excluded: macs is"):
        _check(tmp_path, text)


def test_taps_that_never_touch_the_map_are_named_with_stage_and_size(tmp_path: Path) -> None:
    plan = _check(tmp_path, BASE + "factors: {attention: [self_attention, none]}\n")
    assert plan.notes == tuple(
        f"branch `{branch}` reaches 2 pixels, and the map of stage {stage} is 2x2: its outer taps only ever "
        "see padding there."
        for stage in (2, 3)
        for branch in ("conv5", "dilated")
    )


def test_no_tap_is_named_where_every_kernel_reaches_its_neighbours(tmp_path: Path) -> None:
    text = BASE.replace("[1, 1, 1]}", "[1, 1, 1], same_size_stages: [1]}")
    text = text.replace("dataset: digits", "dataset: digits, resize: 16")
    assert _check(tmp_path, text + "factors: {attention: [self_attention, none]}\n").notes == ()


def test_only_a_branch_itself_says_how_far_it_reaches(tmp_path: Path) -> None:
    (tmp_path / "reaches.py").write_text(REACHING, encoding="utf-8")
    text = BASE.replace("depth: [1, 1, 1]", "depth: [2, 1, 1], branches: {conv5: {block: double_conv}}")
    plan = _check(tmp_path, text + "plugins: [reaches.py]\nfactors: {attention: [reaching, none]}\n")
    assert plan.notes == tuple(
        f"branch `dilated` reaches 2 pixels, and the map of stage {stage} is 2x2: its outer taps only ever "
        "see padding there."
        for stage in (2, 3)
    )


def test_missing_data_are_named_with_the_way_to_get_them(tmp_path: Path) -> None:
    text = BASE.replace("dataset: digits", "dataset: cifar10")
    with pytest.raises(DataError, match="cifar10"):
        _check(tmp_path, text + "factors: {attention: [self_attention, none]}\n")


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_experiment_of_the_repository_can_be_planned(path: Path) -> None:
    experiment = load_experiment(path)
    assert experiment.question
    if experiment.search is None:
        assert len(enumerate_variants(experiment, catalog())) == VARIANTS[path.stem]
    header = path.read_text(encoding="utf-8").splitlines()
    assert header[0].startswith("# ")
    assert any(line.startswith("# Cost: ") for line in header)
    assert f"# Command: msanet-bench sweep experiments/{path.name}" in header


def test_the_ablation_has_thirty_two_variants_and_three_seeds() -> None:
    experiment = load_experiment(EXPERIMENTS / "ablation.yaml")
    plan = check_plan(experiment, Path("data"))
    assert len(plan.variants) == 2**5
    assert experiment.seeds == (0, 1, 2)
    assert plan.notes == ()
    assert {shape.image for shape in plan.shapes.values()} == {(1, 16, 16)}

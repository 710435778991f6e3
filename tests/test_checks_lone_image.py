"""A batch of one image that torch's batch norms refuse is found before anything is trained."""

from pathlib import Path

import pytest
import torch

from experiments import write_experiment
from msanet_bench.checks import check_plan, load_experiment
from msanet_bench.checks.shapes import start_variant
from msanet_bench.data import load, num_training_images, split
from msanet_bench.errors import BenchError
from msanet_bench.spec import DataSpec

BASE = """
delta: 1 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data:
  dataset: fake
  options: {classes: 3, channels: 1, size: 8, images: 48, test_images: 24}
  validation: 0
train: {epochs: 1, batch_size: 16}
design: list
variants: [{model: resnet18}]
"""

STOCK = """
from torch import nn
from msanet_bench.model.slots import ATTENTION
from msanet_bench.model.norm import BatchNorm2d

class Gate(nn.Module):
    def __init__(self, channels, norm):
        super().__init__()
        self.norm = norm(channels)

    def forward(self, x):
        return x * self.norm(x.mean(dim=(2, 3), keepdim=True))

@ATTENTION.register("stock")
class Stock(Gate):
    def __init__(self, channels):
        super().__init__(channels, nn.BatchNorm2d)

@ATTENTION.register("ours")
class Ours(Gate):
    def __init__(self, channels):
        super().__init__(channels, BatchNorm2d)
"""


def planned(folder: Path, text: str = BASE, **changes: str) -> list[str]:
    (folder / "gates.py").write_text(STOCK, encoding="utf-8")
    plan = check_plan(load_experiment(write_experiment(folder, text, **changes)), folder)
    return [variant.name for variant in plan.variants]


@pytest.mark.parametrize("batch_size", [47, 1])
def test_a_network_whose_norms_refuse_the_last_batch_is_named(tmp_path: Path, batch_size: int) -> None:
    # 8 x 8 becomes 4 x 4 and 2 x 2 in the stem, and 1 x 1 in the second stage
    with pytest.raises(BenchError) as error:
        planned(tmp_path, train=f"train: {{epochs: 1, batch_size: {batch_size}}}")
    assert str(error.value) == (
        "variant `model=resnet18`: every batch must hold two images or more, but 48 training images in "
        f"batches of {batch_size} leave one alone, and torch's batch norm `layer2.0.bn1` does not train on "
        "its one value a channel. Choose another `train.batch_size` or `data.train_images`. A norm of your "
        "own block can be msanet_bench.model.norm.BatchNorm2d, which does."
    )


@pytest.mark.parametrize("batch_size", [16, 46, 48, 64])
def test_batches_of_two_or_more_are_nobodys_business(tmp_path: Path, batch_size: int) -> None:
    changes = {"train": f"train: {{epochs: 1, batch_size: {batch_size}}}"}
    assert planned(tmp_path, **changes) == ["baseline", "model=resnet18"]


@pytest.mark.parametrize("part", ["train_images: 33", "validation: 0.3125"])
def test_what_is_left_over_is_counted_after_the_data_are_chosen(tmp_path: Path, part: str) -> None:
    text = BASE.replace("validation: 0", part if part.startswith("v") else f"validation: 0\n  {part}")
    with pytest.raises(BenchError, match="33 training images in batches of 16 leave one alone"):
        planned(tmp_path, text)


def test_blocks_whose_norm_is_torchs_are_named_and_those_with_ours_are_not(tmp_path: Path) -> None:
    lone = {"train": "train: {epochs: 1, batch_size: 47}"}
    text = f"plugins: [gates.py]\n{BASE}"
    with pytest.raises(
        BenchError, match=r"`attention=stock`: .* `stages\.0\.blocks\.0\.attention\.norm` does"
    ):
        planned(tmp_path, text, variants="variants: [{attention: stock}]", **lone)
    assert len(planned(tmp_path, text, variants="variants: [{attention: ours}]", **lone)) == 2
    # `norm` exchanges it, and a group norm needs no second image
    assert len(planned(tmp_path, text, variants="variants: [{attention: stock, norm: group}]", **lone)) == 2


def test_a_block_of_timm_is_named_where_its_map_is_one_pixel(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    text = BASE.replace("{stem: small, width: 0.125, depth: [1]}", "{width: 0.125, depth: [1, 1]}")
    text = text.replace("size: 8", "size: 16").replace("batch_size: 16", "batch_size: 47")
    variants = "variants: [{attention: timm:cbam}]"
    # a quarter of 16 in the stem, then 2 and 1 behind the halvings
    with pytest.raises(BenchError, match=r"timm:cbam`: .* `stages\.1\.blocks\.0\.attention\.spatial"):
        planned(tmp_path, text, variants=variants)
    assert planned(tmp_path, text.replace("[1, 1]", "[1]"), variants=variants) == [
        "baseline",
        "attention=timm:cbam",
    ]


def test_what_is_refused_does_fail_in_training(tmp_path: Path) -> None:
    """The twin: without the check, the last batch breaks the cell."""
    plan = check_plan(load_experiment(write_experiment(tmp_path, BASE)), tmp_path)
    variant = plan.variants[1]
    model = start_variant(variant, plan.shapes[variant.name], seed=0).train()
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        model(torch.zeros(1, 1, 8, 8))
    model(torch.zeros(2, 1, 8, 8))


@pytest.mark.parametrize("changes", [{}, {"train_images": 20}, {"validation": 0.2}, {"validation": 0.0}])
def test_the_number_of_training_images_is_that_of_the_split(
    tmp_path: Path, changes: dict[str, float]
) -> None:
    options = {"classes": 3, "images": 47, "test_images": 6}
    spec = DataSpec.model_validate({"dataset": "fake", "options": options, **changes})
    dataset = load(spec, tmp_path)
    assert num_training_images(dataset, spec) == len(split(dataset, spec, 0).train)

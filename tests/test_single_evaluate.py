"""What is said of a trained network: its numbers, where it looks, how far it sees."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from commands import run_verb
from msanet_bench.errors import DataError
from msanet_bench.measure.receptive_field import effective_field, effective_strength, side_of
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.build import build
from msanet_bench.report.graphics import Pictures
from msanet_bench.single.attention import attention_maps
from msanet_bench.single.evaluate import evaluate_network
from msanet_bench.single.fields import fields_of
from msanet_bench.single.loading import load_checkpoint
from msanet_bench.single.train import run_to_end
from msanet_bench.spec import BlockSpec, ModelSpec
from singles import EVERY_STREAM, opened


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    run_to_end(opened(folder))
    return folder / "network.pt"


def test_the_numbers_are_those_of_the_end_of_training(trained: Path) -> None:
    loaded = load_checkpoint(trained)
    findings = evaluate_network(trained, loaded, trained.parent)
    trained_measures = {name: each["value"] for name, each in loaded.card.measures.items()}
    assert dict(findings.measures) == trained_measures
    hits = int((findings.predicted == findings.labels).sum())
    assert hits / len(findings.labels) == trained_measures["accuracy"]
    assert findings.confusion.trace() == hits


def test_other_data_are_refused(trained: Path) -> None:
    loaded = load_checkpoint(trained)
    card = loaded.card.model_copy(update={"data_digest": "d" * 16})
    other = type(loaded)(loaded.model, card, ())
    with pytest.raises(
        DataError, match=r"network\.pt: was trained with other data of fake \(d{16}\) than those"
    ):
        evaluate_network(trained, other, trained.parent)


class Behind(nn.Module):
    """Attention alone in a network."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = SelfAttention(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x)


def test_a_position_that_cannot_tell_others_apart_looks_at_all_alike() -> None:
    model = Behind(8)
    nn.init.zeros_(model.attention.query.weight)
    nn.init.zeros_(model.attention.query.bias)
    (found,) = attention_maps(model, torch.randn(2, 8, 3, 5))
    assert (found.name, found.middle, found.gamma) == ("attention", (1, 2), 0.0)
    assert found.weights is not None
    torch.testing.assert_close(found.weights, torch.full((2, 3, 5), 1 / 15))


def test_attention_that_is_planted_on_the_brightest_pixel_is_seen_there() -> None:
    model = Behind(8)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.attention.query.bias.fill_(1)  # whoever looks
        model.attention.key.weight.fill_(1)  # sees the sum of the channels
        model.attention.gamma.fill_(0.5)
    images = torch.zeros(2, 8, 4, 6)
    images[0, :, 3, 1] = 1
    images[1, :, 0, 5] = 1
    (found,) = attention_maps(model, images)
    assert found.weights is not None
    assert found.gamma == 0.5
    for weights, place in zip(found.weights, ((3, 1), (0, 5)), strict=True):
        # a key of 8 where the pixel is bright and 0 elsewhere: e^8 against 23 others of 1
        assert weights[place].item() == pytest.approx(2980.958 / (2980.958 + 23), rel=1e-5)


@torch.no_grad()
def test_the_maps_are_those_that_the_network_itself_multiplies_with() -> None:
    """The weights times the values, times gamma, is what attention adds at the position in the middle."""
    torch.manual_seed(0)
    model = Behind(16)
    nn.init.constant_(model.attention.gamma, 2.0)
    x = torch.randn(3, 16, 5, 5)
    (found,) = attention_maps(model, x)
    assert found.weights is not None
    values = model.attention.value(x).flatten(2)
    added = (model(x) - x)[:, :, 2, 2]
    torch.testing.assert_close(2.0 * torch.einsum("nk,nck->nc", found.weights.flatten(1), values), added)


def test_every_block_of_attention_is_met_in_its_order() -> None:
    spec = ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1, 2))
    model = build(spec, num_classes=3, in_channels=1).eval()
    names = [found.name for found in attention_maps(model, torch.zeros(1, 1, 16, 16))]
    assert names == [f"stages.{place}.attention" for place in ("0.blocks.0", "1.blocks.0", "1.blocks.1")]
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_a_block_without_positions_has_no_map() -> None:
    spec = ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1,), attention=BlockSpec(block="se"))
    assert attention_maps(build(spec, num_classes=3, in_channels=1).eval(), torch.zeros(1, 1, 8, 8)) == []


class Conv(nn.Module):
    """One convolution, then what takes the map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1, bias=False)
        self.head = nn.Flatten()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x))


def test_the_strength_of_one_convolution_is_its_kernel() -> None:
    model = Conv()
    kernel = torch.tensor([[1.0, -2, 3], [0.01, 5, 6], [7, 8, -10]])
    model.conv.weight.data.copy_(kernel)
    strength, status = effective_strength(model, (1, 7, 7))
    assert status == "measured"
    assert strength is not None
    expected = torch.zeros(7, 7)
    expected[2:5, 2:5] = kernel.abs()
    torch.testing.assert_close(strength, expected)
    # 0.01 is below 4.55 % of 10: eight pixels are left
    assert side_of(strength) == effective_field(model, (1, 7, 7)).side == 8**0.5


def test_the_fields_of_stages_grow_and_the_last_is_that_of_profile() -> None:
    torch.manual_seed(0)
    spec = ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1, 1, 1))
    model = build(spec, num_classes=3, in_channels=1)
    fields = fields_of(model, (1, 32, 32))
    assert [field.stage for field in fields] == [1, 2, 3]
    sides = [field.side or 0.0 for field in fields]
    assert sides == sorted(sides)
    assert sides[-1] == effective_field(model, (1, 32, 32)).side
    assert fields_of(nn.Linear(2, 2), (1, 8, 8)) == []


def test_the_verb_writes_a_report_with_its_figures(trained: Path, tmp_path: Path) -> None:
    shutil.copy(trained, tmp_path)
    outcome = run_verb("evaluate", "network.pt", "--device", "cpu", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    text = (tmp_path / "network" / "report.md").read_text(encoding="utf-8")
    accuracy = load_checkpoint(trained).card.measures["accuracy"]["value"]
    assert f"Accuracy: {100 * accuracy:.2f} %" in text
    assert f"accuracy {accuracy:.2%}" in outcome.out
    linked = re.findall(r"\]\((figures/\w+\.svg)\)", text)
    assert [Path(name).stem for name in linked] == [
        "confusion",
        "reliability",
        "attention",
        "receptive_fields",
    ]
    assert {file.name for file in (tmp_path / "network" / "figures").iterdir()} == {
        Path(name).name for name in linked
    }
    numbers = json.loads((tmp_path / "network" / "report.json").read_text(encoding="utf-8"))
    assert numbers["measures"]["accuracy"] == accuracy
    assert sum(map(sum, numbers["confusion"])) == 24
    again = run_verb("evaluate", "network.pt", "--out", "again", "--device", "cpu", cwd=tmp_path)
    assert again.code == 0
    for file in (tmp_path / "network").rglob("*.*"):
        assert (tmp_path / "again" / file.relative_to(tmp_path / "network")).read_bytes() == file.read_bytes()


def test_a_network_without_attention_has_no_such_pictures(tmp_path: Path) -> None:
    run_to_end(opened(tmp_path, EVERY_STREAM, variant="attention=none"))
    findings = evaluate_network(tmp_path, load_checkpoint(tmp_path / "network.pt"), tmp_path)
    assert findings.attention is None
    assert isinstance(findings.fields, Pictures)

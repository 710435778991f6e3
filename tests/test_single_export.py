"""Programs that run without this package give the network's numbers; a wrong one is noticed."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from commands import run_verb
from msanet_bench.errors import BenchError
from msanet_bench.single import export
from msanet_bench.single.export import CARD, Exported, export_network
from msanet_bench.single.loading import Loaded, load_checkpoint
from msanet_bench.single.train import run_to_end
from singles import EVERY_STREAM, opened

# every branch and self-attention, with a network that was trained in half precision and channels last
HALF = EVERY_STREAM.replace("lr: 1e-2", "lr: 1e-2, precision: bf16, channels_last: true")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = tmp_path_factory.mktemp("trained")
    run_to_end(opened(folder, HALF))
    network = load_checkpoint(folder / "network.pt")
    for name, value in network.model.state_dict().items():
        if name.endswith("gamma"):
            value.fill_(0.5)  # attention is to count
    return network


def test_a_torch_program_gives_the_same_for_batches_of_any_size(loaded: Loaded, tmp_path: Path) -> None:
    exported = export_network(loaded, tmp_path / "network.pt2", "torch")
    assert exported.is_equal
    facts = {CARD: ""}
    program = torch.export.load(tmp_path / "network.pt2", extra_files=facts).module()
    for number in (1, 3, 17):
        images = torch.rand(number, *loaded.card.network_image)
        torch.testing.assert_close(program(images), loaded.model(images))
    told = json.loads(facts[CARD])
    assert told["classes"] == list(loaded.classes)
    assert told["preprocessing"]["mean"] == list(loaded.preprocessing.mean)


def test_an_onnx_file_gives_the_same_for_batches_of_any_size(loaded: Loaded, tmp_path: Path) -> None:
    exported = export_network(loaded, tmp_path / "network.onnx", "onnx")
    assert exported.is_equal
    assert exported.tolerance >= 1e-4
    model = onnx.load(tmp_path / "network.onnx")
    onnx.checker.check_model(model, full_check=True)
    facts = json.loads({each.key: each.value for each in model.metadata_props}[CARD])
    assert facts["input"] == ["batch", 1, 8, 8]
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    assert (entry.name, entry.shape[1:]) == ("images", [1, 8, 8])
    for number in (1, 3, 17):
        images = torch.rand(number, *loaded.card.network_image)
        with torch.no_grad():
            ours = loaded.model(images).numpy()
        np.testing.assert_allclose(session.run(None, {"images": images.numpy()})[0], ours, atol=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"]


@pytest.mark.parametrize("shift", [0.0, 1e-5, 1e-2])
def test_a_program_with_other_numbers_is_noticed(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    def shifted(_: Path) -> Any:
        return lambda images: loaded.model(images) + shift

    monkeypatch.setitem(export._READERS, "torch", shifted)
    exported = export_network(loaded, tmp_path / "network.pt2", "torch")
    assert exported.difference == pytest.approx(shift, abs=1e-6)
    assert exported.is_equal == (shift < 1e-3)


def test_the_verb_says_the_difference_and_fails_where_it_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to_end(opened(tmp_path))
    outcome = run_verb("export", "network.pt", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith(
        "equal: logits of random images in batches of 1, 2, 5 differ by at most 0.0000"
    )
    assert outcome.out.endswith("Exported: network.pt2\n")

    def other(*_: object) -> Exported:
        return Exported(Path("network.pt2"), 0.5, 1e-4)

    monkeypatch.setattr(export, "export_network", other)
    outcome = run_verb("export", "network.pt", cwd=tmp_path)
    assert outcome.code == 1
    assert outcome.out.startswith("NOT equal: ")
    assert "differ by at most 0.5000000, and 0.0001000 is allowed" in outcome.out


def test_without_the_extra_it_says_what_to_install(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BenchError, match=r"--format onnx: needs .* pip install 'msanet-bench\[onnx\]'"):
        export_network(loaded, tmp_path / "network.onnx", "onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_no_program_can_be_made_of_is_named(loaded: Loaded, tmp_path: Path) -> None:
    class Deciding(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images if images.sum() > 0 else -images

    broken = Loaded(Deciding(), loaded.card, ())
    with pytest.raises(BenchError, match="--format torch: torch cannot export this network"):
        export_network(broken, tmp_path / "network.pt2", "torch")
    assert not (tmp_path / "network.pt2").exists()

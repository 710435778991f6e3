"""A single run: the bits of the sweep's cell, and of an undisturbed run after it was killed."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import msanet_bench.cell
import msanet_bench.data.splits
import msanet_bench.single.train
import msanet_bench.train.seed
from experiments import TINY, write_experiment
from msanet_bench.cell import run_cell
from msanet_bench.errors import BenchError
from msanet_bench.model.slots import ATTENTION
from msanet_bench.records import read_records
from msanet_bench.single.checkpoint import MARK, Checkpoint, read_checkpoint
from msanet_bench.single.device import chosen_device
from msanet_bench.single.train import NoNetwork, run_to_end
from msanet_bench.streams import stream_seed
from msanet_bench.train.progress import Epoch
from singles import EVERY_STREAM, bits, opened
from sweeps import sweep

HERE = Path(__file__).parent


class Killed(Exception):
    """The run ends here."""


def killed_after(epochs: int) -> Callable[[Epoch], None]:
    def kill(epoch: Epoch) -> None:
        if epoch.epoch == epochs:
            raise Killed

    return kill


def begun(folder: Path, epochs: int, text: str = EVERY_STREAM, **changes: Any) -> None:
    """A checkpoint of a run that was stopped after some epochs."""
    with pytest.raises(Killed):
        run_to_end(opened(folder, text, **changes), [killed_after(epochs)])


def finished(folder: Path, text: str = EVERY_STREAM, **changes: Any) -> Checkpoint:
    run_to_end(opened(folder, text, **changes))
    return read_checkpoint(folder / "network.pt")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return finished(tmp_path_factory.mktemp("quiet"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("swept")
    two = {"  attention": "  attention: [self_attention, se]", "measure": "measure: {latency_rounds: 0}"}
    sweep(write_experiment(folder, **two), folder / "results")
    return folder


@pytest.mark.parametrize(("variant", "seed"), [("baseline", 0), ("attention=se", 1)])
def test_the_result_is_that_of_the_sweeps_cell_bit_for_bit(
    swept: Path, tmp_path: Path, variant: str, seed: int
) -> None:
    card = run_to_end(opened(tmp_path, TINY, variant=variant, seed=seed))
    records = {(record.variant, record.seed): record for record in read_records(swept / "results")}
    record = records[variant, seed]
    assert card.key == record.key
    assert card.curve == tuple(record.curve)
    assert card.chosen_epoch == record.provenance["chosen_epoch"]
    measured = {name: record.measures[name].to_json() for name in ("accuracy", "balanced_accuracy", "loss")}
    assert card.measures == measured


def test_every_stream_of_a_cell_is_that_of_the_sweep_too(tmp_path: Path, quiet: Checkpoint) -> None:
    record = run_cell(opened(tmp_path).job).record
    assert quiet.card.curve == tuple(record.curve)
    assert quiet.card.measures == {name: measure.to_json() for name, measure in record.measures.items()}


def test_another_seed_gives_another_network(tmp_path: Path, quiet: Checkpoint) -> None:
    assert finished(tmp_path, seed=1).card.curve != quiet.card.curve


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_run_that_is_resumed_ends_with_the_bits_of_an_undisturbed_one(
    tmp_path: Path, quiet: Checkpoint, epochs: int
) -> None:
    begun(tmp_path, epochs)
    torch.rand(7)  # what a process drew meanwhile must not matter
    resumed = finished(tmp_path, resume=True)
    assert bits(resumed.weights) == bits(quiet.weights)
    assert resumed.card == quiet.card


@pytest.mark.parametrize(
    "train",
    [
        "{epochs: 3, batch_size: 16, lr: 1e-2, schedule: cosine, optimiser: sgd}",
        "{epochs: 3, batch_size: 16, lr: 1e-2, precision: bf16, channels_last: true, clip_norm: 0.1}",
    ],
)
def test_so_does_one_of_another_optimiser_or_number_format(tmp_path: Path, train: str) -> None:
    text = re.sub(r"train: .*", f"train: {train}", EVERY_STREAM)
    (tmp_path / "quiet").mkdir()
    undisturbed = finished(tmp_path / "quiet", text)
    begun(tmp_path, 1, text)
    assert bits(finished(tmp_path, text, resume=True).weights) == bits(undisturbed.weights)


@pytest.mark.cuda
def test_so_does_one_on_a_cuda_device(tmp_path: Path) -> None:
    (tmp_path / "quiet").mkdir()
    undisturbed = finished(tmp_path / "quiet", device="cuda")
    begun(tmp_path, 2, device="cuda")
    assert bits(finished(tmp_path, resume=True, device="cuda").weights) == bits(undisturbed.weights)


def test_a_killed_process_leaves_what_another_one_goes_on_with(tmp_path: Path, quiet: Checkpoint) -> None:
    write_experiment(tmp_path, EVERY_STREAM)
    command = [sys.executable, "-c", KILLS_ITSELF, str(tmp_path)]
    ended = subprocess.run(command, cwd=HERE, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    assert read_checkpoint(tmp_path / "network.pt").card.epochs == 2
    resumed = finished(tmp_path, resume=True)
    assert bits(resumed.weights) == bits(quiet.weights)
    assert resumed.card == quiet.card


KILLS_ITSELF = """
import os, pathlib, signal, sys
from msanet_bench.single.train import run_to_end
from singles import opened

def kill(epoch):
    if epoch.epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)

run_to_end(opened(pathlib.Path(sys.argv[1])), [kill])
"""


PARTS = ("order", "augmentation", "dropout", "optimiser")


def _forget(part: str, kept: dict[str, Any]) -> None:
    """Put a part of the progress back to where the run began."""
    if part == "optimiser":
        kept["optimiser"]["state"] = {}
        return
    names = [name for name in kept["positions"] if name.startswith(part)]
    assert names
    for name in names:
        kept["positions"][name] = torch.Generator().manual_seed(stream_seed(0, part)).get_state()


@pytest.mark.parametrize("part", PARTS)
def test_a_run_that_forgets_a_part_of_its_progress_ends_with_other_bits(
    tmp_path: Path, quiet: Checkpoint, part: str
) -> None:
    begun(tmp_path, 2)
    content = torch.load(tmp_path / "network.pt", weights_only=True)
    _forget(part, content["progress"])
    torch.save(content, tmp_path / "network.pt")
    resumed = finished(tmp_path, resume=True)
    assert resumed.card.curve[:2] == quiet.card.curve[:2]
    assert resumed.card.curve != quiet.card.curve


# What it adds to each channel is drawn from the init stream, and is in no state dict.
DRAWS = """
import torch
from torch import nn
from msanet_bench.model.slots import ATTENTION

@ATTENTION.register("drawing")
class Drawing(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("noise", torch.randn(channels, 1, 1), persistent=False)

    def forward(self, x):
        return x + self.noise
"""
DRAWING = EVERY_STREAM.replace("depth: [1]", "depth: [1], attention: drawing") + "plugins: [draws.py]\n"


@pytest.mark.parametrize("forgotten", ["", "split", "init"])
def test_the_streams_that_are_drawn_before_the_first_step_are_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    (tmp_path / "quiet").mkdir()
    for folder in (tmp_path, tmp_path / "quiet"):
        (folder / "draws.py").write_text(DRAWS, encoding="utf-8")
    undisturbed = finished(tmp_path / "quiet", DRAWING)
    forget_plugins()
    begun(tmp_path, 2, DRAWING)

    def other(seed: int, stream: Any, *, replicate: int = 0) -> int:
        return stream_seed(seed + (stream == forgotten), stream, replicate=replicate)

    for place in (msanet_bench.data.splits, msanet_bench.train.seed):
        monkeypatch.setattr(place, "stream_seed", other)
    msanet_bench.cell._prepared.cache_clear()
    resumed = finished(tmp_path, DRAWING, resume=True)
    msanet_bench.cell._prepared.cache_clear()
    assert resumed.card.curve[:2] == undisturbed.card.curve[:2]
    assert (resumed.card.curve == undisturbed.card.curve) == (not forgotten)


def forget_plugins() -> None:
    """The same block may be registered again, from another folder."""
    ATTENTION._entries.pop("drawing")
    del sys.modules["msanet_bench_plugin_draws"]


def test_a_run_begins_where_there_is_no_file_to_resume(tmp_path: Path, quiet: Checkpoint) -> None:
    assert finished(tmp_path, resume=True).card == quiet.card


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    finished(tmp_path)
    before = (tmp_path / "network.pt").read_bytes()
    run_to_end(opened(tmp_path, resume=True), [killed_after(1)])
    assert (tmp_path / "network.pt").read_bytes() == before


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    begun(tmp_path, 1)
    with pytest.raises(BenchError, match=r"network\.pt: there is a file already\. --resume goes on with it"):
        opened(tmp_path)
    with pytest.raises(BenchError, match=r"is a folder\. Name a file"):
        opened(tmp_path, out=tmp_path)


@pytest.mark.parametrize(
    ("text", "changes", "difference"),
    [
        (EVERY_STREAM, {"seed": 1}, "seed is 0 there and 1 here"),
        (EVERY_STREAM, {"variant": "attention=se"}, "variant is baseline there and attention=se here"),
        (EVERY_STREAM.replace("lr: 1e-2", "lr: 2e-2"), {}, "train.lr is 0.01 there and 0.02 here"),
        (EVERY_STREAM.replace("images: 48", "images: 51"), {}, "data_digest is "),
        (EVERY_STREAM.replace("width: 0.125", "width: 0.25"), {}, "the network differs"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_what_differs(
    tmp_path: Path, text: str, changes: dict[str, Any], difference: str
) -> None:
    begun(tmp_path, 1)
    with pytest.raises(BenchError, match=re.escape(difference)):
        opened(tmp_path, text, resume=True, **changes)


def test_a_run_that_goes_on_elsewhere_says_so_and_keeps_both(tmp_path: Path) -> None:
    begun(tmp_path, 1)
    content = torch.load(tmp_path / "network.pt", weights_only=True)
    content[MARK] = re.sub('"torch":"[^"]*"', '"torch":"1.0"', content[MARK])
    torch.save(content, tmp_path / "network.pt")
    run = opened(tmp_path, resume=True)
    (note,) = run.notes
    assert f"its 1 epochs so far had torch 1.0, those to come have {torch.__version__}" in note
    assert [stretch.torch for stretch in run_to_end(run).stretches] == ["1.0", str(torch.__version__)]


def test_a_run_that_diverges_leaves_the_last_epoch_that_did_not(tmp_path: Path) -> None:
    begun(tmp_path, 2)
    content = torch.load(tmp_path / "network.pt", weights_only=True)
    content["progress"]["model"]["head.classifier.bias"][0] = torch.nan
    torch.save(content, tmp_path / "network.pt")
    with pytest.raises(NoNetwork, match=r"diverged: loss or weights are not finite at step 7 \(loss=nan\)"):
        run_to_end(opened(tmp_path, resume=True))
    assert read_checkpoint(tmp_path / "network.pt").card.epochs == 2


def test_a_lack_of_memory_is_an_outcome_and_a_defect_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_too_much(*_: object, **__: object) -> None:
        torch.empty(10**15, dtype=torch.uint8)

    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(msanet_bench.single.train, "fit", take_too_much)
    with pytest.raises(NoNetwork, match=r"out of memory: RuntimeError: .*can't allocate memory"):
        run_to_end(opened(tmp_path))
    monkeypatch.setattr(msanet_bench.single.train, "fit", break_down)
    with pytest.raises(RuntimeError, match="planted"):
        run_to_end(opened(tmp_path))


def test_the_device_is_one_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert opened(tmp_path, device="auto").job.device == "cpu"
    with pytest.raises(
        BenchError, match="--device: must be auto, cpu, cuda or cuda:N, but got 'cuda:1'; 0 CUDA"
    ):
        opened(tmp_path, device="cuda:1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [chosen_device(text) for text in ("auto", "cpu", "cuda", "cuda:1")] == [
        "cuda",
        "cpu",
        "cuda",
        "cuda:1",
    ]
    with pytest.raises(BenchError, match="2 CUDA devices are visible here"):
        chosen_device("cuda:2")

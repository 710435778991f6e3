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

from experiments import TINY, write_experiment
from msanet_bench.cell import run_cell
from msanet_bench.records import read_records
from msanet_bench.single.checkpoint import Checkpoint, read_checkpoint
from msanet_bench.single.train import run_to_end
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
    sweep(write_experiment(folder), folder / "results")
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


def _forget(part: str) -> Callable[[dict[str, Any]], None]:
    """Put a part of the progress back to where the run began."""

    def forget(kept: dict[str, Any]) -> None:
        if part == "optimiser":
            kept["optimiser"]["state"] = {}
        elif part == "best":
            kept["best"] = kept["model"]
        else:
            names = [name for name in kept["positions"] if name.startswith(part)]
            for name in names:
                kept["positions"][name] = torch.Generator().manual_seed(stream_seed(0, part)).get_state()

    return forget


@pytest.mark.parametrize("part", ["order", "augmentation", "dropout", "optimiser"])
def test_a_run_that_forgets_a_part_of_its_progress_ends_with_other_bits(
    tmp_path: Path, quiet: Checkpoint, part: str
) -> None:
    begun(tmp_path, 2)
    content = torch.load(tmp_path / "network.pt", weights_only=True)
    _forget(part)(content["progress"])
    torch.save(content, tmp_path / "network.pt")
    resumed = finished(tmp_path, resume=True)
    assert resumed.card.curve[:2] == quiet.card.curve[:2]
    assert resumed.card.curve != quiet.card.curve

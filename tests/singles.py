"""Single networks that take a moment to train."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from experiments import write_experiment
from msanet_bench.checks import load_experiment
from msanet_bench.single.opening import Run, TrainOptions, open_run

# every stream is drawn from: a split, an order, flips, a start, dropout of the head
EVERY_STREAM = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data:
  dataset: fake
  options: {classes: 3, channels: 1, size: 8, images: 48, test_images: 24}
  validation: 0.25
  augment: [flip, shift]
train: {epochs: 4, batch_size: 16, lr: 1e-2, schedule: one_cycle, checkpoint: best_val}
design: one_at_a_time
factors:
  attention: [self_attention, none, se]
seeds: 2
"""


def options_of(folder: Path, **changes: Any) -> TrainOptions:
    plain = TrainOptions("baseline", 0, folder / "network.pt", plugin_folder=folder, device="cpu")
    return replace(plain, **changes)


def opened(folder: Path, text: str = EVERY_STREAM, **changes: Any) -> Run:
    """A run of an experiment that is written into the folder."""
    return open_run(load_experiment(write_experiment(folder, text)), options_of(folder, **changes))


def bits(state: dict[str, Tensor]) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in state.items()}

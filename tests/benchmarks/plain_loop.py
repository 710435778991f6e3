"""A sweep as one writes it without a harness, for `sweep.py` to be compared with.

    python tests/benchmarks/plain_loop.py loop EXPERIMENT    # one process
    python tests/benchmarks/plain_loop.py pool EXPERIMENT    # two processes of a pool

Prints the accuracy of every trial. Variants and images are those of the experiment, the rest is plain torch.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate

from msanet_bench.checks import catalog, load_experiment
from msanet_bench.data.digits import digits
from msanet_bench.model.build import build
from msanet_bench.overlay import Settings
from msanet_bench.plan import enumerate_variants

PROCESSES = 2


class Trial(NamedTuple):
    variant: str
    settings: Settings
    seed: int


class Images(NamedTuple):
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def trials(file: str) -> list[Trial]:
    experiment = load_experiment(file)
    variants = enumerate_variants(experiment, catalog())
    return [Trial(v.name, v.settings, seed) for seed, v in product(experiment.seeds, variants)]


@lru_cache(maxsize=1)
def images() -> Images:
    """The images of the experiment, enlarged to 16 x 16 and normalised; loaded once a process."""
    data = digits(Path())

    def prepared(pixels: NDArray[object]) -> Tensor:
        return interpolate(torch.from_numpy(pixels).float() / 255, size=(16, 16), mode="bilinear")

    train, test = prepared(data.train_images), prepared(data.test_images)
    mean, deviation = train.mean(), train.std()
    return Images(
        (train - mean) / deviation,
        torch.from_numpy(data.train_labels),
        (test - mean) / deviation,
        torch.from_numpy(data.test_labels),
    )


def accuracy(trial: Trial) -> float:
    """Train one network and test it."""
    x, y, test_x, test_y = images()
    spec = trial.settings.train
    torch.manual_seed(trial.seed)
    model = build(trial.settings.model, num_classes=10, in_channels=1)
    optimiser = torch.optim.AdamW(model.parameters(), spec.lr)
    for _ in range(spec.epochs):
        model.train()
        for batch in torch.randperm(len(y)).split(spec.batch_size):
            optimiser.zero_grad()
            loss = cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(batch) for batch in test_x.split(spec.batch_size)])
    return (logits.argmax(1) == test_y).double().mean().item()


def main(way: str, file: str) -> None:
    asked = trials(file)
    if way == "loop":
        found = list(map(accuracy, asked))
    else:
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(accuracy, asked))
    for trial, value in zip(asked, found, strict=True):
        print(trial.variant, trial.seed, value)


if __name__ == "__main__":
    main(*sys.argv[1:])

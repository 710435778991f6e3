"""How fast a network is trained, step by step of the ladder from the article's usage example to ours.

    python tests/benchmarks/train.py [--compile]

10,000 images of Fashion-MNIST, MSANet at a quarter of its width, batches of 128, one process, two threads.
The usage example is a DataLoader with a transform an image, a context branch that is resized bilinearly, the
plain AdamW and float32, with the loss read after every step. Every rung changes one thing and keeps those
before it; that freed memory is kept is set for a process as a whole, so there are two of them. Rungs take
turns, ten steps at a time, so that a busy machine slows all of them; printed are medians over rounds of the
throughput and of its ratio to the usage example.

The share of the machine is that of the fastest product of two 2048 x 2048 matrices measured here, in the same
number format; a step counts as three forward passes.

Whether the faster ways learn as well is what `experiments/faster.yaml` tells.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from msanet_bench.api import macs, msanet
from msanet_bench.data import load, prepare_all, split
from msanet_bench.model.attention.dot_product import use_attention
from msanet_bench.model.branches.global_context import GlobalContext
from msanet_bench.model.initialise import initialise
from msanet_bench.spec import DataSpec, TrainSpec
from msanet_bench.train.heap import keep_freed_memory
from msanet_bench.train.step import prepare, take_step

PROMISED = {"float32": 1.15, "bf16": 1.5}
THREADS, BATCH, IMAGES, ROUNDS, STEPS = 2, 128, 10_000, 9, 10
DATA = DataSpec(dataset="fashion_mnist", train_images=IMAGES, validation=0)
PLAIN = TrainSpec(batch_size=BATCH, lr=1e-3)


@dataclass(frozen=True)
class Way:
    """How steps are taken.

    Attributes:
        loader: A DataLoader that transforms image by image, instead of tensors in memory.
        resized: The context is resized bilinearly, instead of broadcast.
        kept: Freed memory is kept for the next step.
    """

    spec: TrainSpec = PLAIN
    loader: bool = False
    resized: bool = False
    kept: bool = True


def ladder(*, with_compile: bool) -> dict[str, Way]:
    """Every rung by its name, each on top of the one before; those of bf16 on the fused optimiser."""
    fused = PLAIN.model_copy(update={"fused_optimiser": True})
    attention = fused.model_copy(update={"fused_attention": True})
    half = fused.model_copy(update={"precision": "bf16"})
    rungs = {
        "usage example": Way(loader=True, resized=True, kept=False),
        "tensors in memory": Way(resized=True, kept=False),
        "context broadcast": Way(kept=False),
        "freed memory kept": Way(),
        "fused optimiser": Way(fused),
        "fused attention": Way(attention),
        "channels last": Way(attention.model_copy(update={"channels_last": True})),
        "bf16": Way(half),
        "bf16, fused attention": Way(half.model_copy(update={"fused_attention": True})),
    }
    if with_compile:
        rungs["float32, compiled"] = Way(attention.model_copy(update={"compile": True}))
        rungs["bf16, compiled"] = Way(half.model_copy(update={"compile": True}))
    return rungs


def throughput(*, with_compile: bool) -> bool:
    rungs = ladder(with_compile=with_compile)
    context = get_context("spawn")
    pipes = {}
    for kept in (False, True):
        pipes[kept], theirs = context.Pipe()
        ways = {name: way for name, way in rungs.items() if way.kept == kept}
        context.Process(target=_serve, args=(theirs, ways, kept), daemon=True).start()
    seconds: dict[str, list[float]] = {name: [] for name in rungs}
    for _ in range(ROUNDS):
        for name, way in rungs.items():
            pipes[way.kept].send(name)
            seconds[name].append(pipes[way.kept].recv())
    for pipe in pipes.values():
        pipe.send(None)
    _print(rungs, seconds)
    gains = {name: _ratio(seconds["usage example"], each) for name, each in seconds.items()}
    best = {
        kind: max(gain for name, gain in gains.items() if rungs[name].spec.precision == precision)
        for kind, precision in {"float32": "fp32", "bf16": "bf16"}.items()
    }
    for kind, gain in best.items():
        print(
            f"{kind}: {gain:.2f} times the usage example, promised {PROMISED[kind]}"
            f"{'' if gain >= PROMISED[kind] else '  OUT OF RANGE'}"
        )
    return all(gain >= PROMISED[kind] for kind, gain in best.items())


def _serve(pipe: Connection, ways: Mapping[str, Way], kept: bool) -> None:  # noqa: FBT001
    """Take ten steps of a way whenever one is asked for, and say how long they took."""
    torch.set_num_threads(THREADS)
    if kept:
        keep_freed_memory()
    steps = {name: _steps(way) for name, way in ways.items()}
    for taken in steps.values():
        list(islice(taken, 3))
    while (name := pipe.recv()) is not None:
        taken = steps[name]
        began = time.perf_counter()
        list(islice(taken, STEPS))
        pipe.send(time.perf_counter() - began)


def _print(rungs: Mapping[str, Way], seconds: Mapping[str, Sequence[float]]) -> None:
    step_macs = 3 * BATCH * macs(_network(PLAIN), (1, 28, 28))
    peaks = {"fp32": _peak(torch.float32), "bf16": _peak(torch.bfloat16)}
    print(f"{step_macs / 1e9:.1f} GMAC a step; products reach", end=" ")
    print(", ".join(f"{peak / 1e9:.0f} GMAC/s in {name}" for name, peak in peaks.items()))
    print(f"  {'':<26} images/s   to the first  to the one before  share of products")
    before = seconds["usage example"]
    for name, each in seconds.items():
        share = step_macs * STEPS / median(each) / peaks[rungs[name].spec.precision]
        print(
            f"  {name:<26} {BATCH * STEPS / median(each):8.0f} "
            f"{_ratio(seconds['usage example'], each):14.2f} "
            f"{_ratio(before, each):18.2f} {100 * share:17.1f} %"
        )
        before = each


def _ratio(base: Sequence[float], of: Sequence[float]) -> float:
    return median(b / o for b, o in zip(base, of, strict=True))


def _peak(dtype: torch.dtype) -> float:
    """The most multiply-accumulates a second of a large product."""
    one = torch.randn(2048, 2048).to(dtype)
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        one @ one
        best = min(best, time.perf_counter() - began)
    return 2048**3 / best


class _Resized(GlobalContext):
    """The context branch as the article has it."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        pooled_NC11 = x_NCHW.mean(dim=(2, 3), keepdim=True)
        context_NC11 = torch.relu(self.norm(self.conv(pooled_NC11)))
        return interpolate(context_NC11, size=x_NCHW.shape[2:], mode="bilinear", align_corners=False)


class _Files(Dataset[tuple[Tensor, int]]):
    """Images as a folder of files gives them, each transformed when it is asked for."""

    def __init__(self, seed: int) -> None:
        data = load(DATA, Path("data"))
        rows = split(data, DATA, seed, 0).train
        self.images = [Image.fromarray(image[0]) for image in data.train_images[rows]]
        self.labels = data.train_labels[rows]
        pixels = data.train_images[rows].astype(np.float64) / 255
        self.transform = v2.Compose(
            [
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([pixels.mean()], [pixels.std()]),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        return self.transform(self.images[number]), int(self.labels[number])


def _network(spec: TrainSpec, *, seed: int = 0, resized: bool = False) -> nn.Module:
    torch.manual_seed(seed)
    model = msanet(in_channels=1, width=0.25, stem="small")
    initialise(model, seed)
    if resized:
        for module in model.modules():
            if isinstance(module, GlobalContext):
                module.__class__ = _Resized
    if spec.fused_attention:
        use_attention(model, "sdpa")
    return model


def _epochs(way: Way, seed: int = 0) -> Iterator[Iterator[tuple[Tensor, Tensor]]]:
    """Batches, epoch after epoch; full ones alone, so that all steps are alike."""
    if way.loader:
        generator = torch.Generator().manual_seed(seed)
        loader = DataLoader(_Files(seed), BATCH, shuffle=True, drop_last=True, generator=generator)
        while True:
            yield iter(loader)
    data = load(DATA, Path("data"))
    source = prepare_all(data, DATA, split(data, DATA, seed, 0), torch.device("cpu")).train
    while True:
        order = torch.randperm(source.num_images).split(BATCH)
        yield iter(source.batches(rows for rows in order if len(rows) == BATCH))


def _steps(way: Way, seed: int = 0) -> Iterator[None]:
    model = _network(way.spec, seed=seed, resized=way.resized)
    step = _plain_step(model) if way.loader else _our_step(model, way.spec)
    model.train()
    for epoch in _epochs(way, seed):
        for images, labels in epoch:
            step(images, labels)
            yield


def _plain_step(model: nn.Module) -> Callable[[Tensor, Tensor], float]:
    optimiser = torch.optim.AdamW(model.parameters(), PLAIN.lr)

    def step(images: Tensor, labels: Tensor) -> float:
        optimiser.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def _our_step(model: nn.Module, spec: TrainSpec) -> Callable[[Tensor, Tensor], object]:
    stepper = prepare(model, spec)
    return lambda images, labels: take_step(stepper, images, labels, spec.lr).isfinite()


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    sys.exit(0 if throughput(with_compile="--compile" in sys.argv[1:]) else 1)

"""One latency session over all variants: interleaved rounds in random order.

Timing one variant after the other confuses the variants with the machine's moods: on a contended machine the
ranks of two such passes had almost nothing in common (Kendall's tau 0.04 to 0.25). In a round every variant
is called once, so that what slows the machine down slows all of them, and can be taken out.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import nn

from msanet_bench.measure.device import Device
from msanet_bench.measure.samples import Phase, Sample
from msanet_bench.streams import derive_seed

WARM_UP_CALLS = 10
WARM_UP_SECONDS = 0.2
# A network that takes longer than this for ten calls is warm before the tenth.
WARM_UP_LIMIT = 2.0

Call = Callable[[], object]


def forward_call(
    model: nn.Module, input_shape: tuple[int, ...], *, batch: int, device: torch.device, seed: int = 0
) -> Call:
    """One forward pass in eval mode, on random images that lie ready on the device; moves the model there.

    Not zeros: they cost less power, so a device may run them at a higher clock.
    """
    source = torch.Generator().manual_seed(derive_seed(seed, "latency images"))
    images = torch.randn(batch, *input_shape, generator=source).to(device)
    model.to(device).eval()

    def call() -> object:
        with torch.inference_mode():
            return model(images)

    return call


def interleaved_session(
    models: Mapping[str, Call],
    device: Device,
    *,
    rounds: int,
    seed: int,
    batch: int = 1,
    precision: str = "fp32",
) -> list[Sample]:
    """Every timed call of one pass: a warm-up of each variant, then `rounds` rounds that call each once.

    The seed decides the order within the rounds and nothing else.
    """
    take = partial(_take, device=device, batch=batch, precision=precision)
    orders = np.random.default_rng(derive_seed(seed, "latency order"))
    names = list(models)
    with _no_garbage_collection():
        samples = [sample for name in names for sample in _warm_up(name, models[name], take)]
        for number in range(rounds):
            for position, place in enumerate(orders.permutation(len(names))):
                name = names[place]
                samples.append(take(name, models[name], "measure", number, position))
    return samples


def _warm_up(name: str, call: Call, take: Callable[..., Sample]) -> Iterator[Sample]:
    """At least ten calls and a fifth of a second, but never much more than two seconds."""
    calls, spent = 0, 0.0
    while (calls < WARM_UP_CALLS or spent < WARM_UP_SECONDS) and spent < WARM_UP_LIMIT:
        sample = take(name, call, "warmup", calls, 0)
        calls, spent = calls + 1, spent + sample.seconds
        yield sample


def _take(
    name: str,
    call: Call,
    phase: Phase,
    number: int,
    position: int,
    *,
    device: Device,
    batch: int,
    precision: str,
) -> Sample:
    start_ns = device.now_ns()
    seconds = device.time_call(call)
    return Sample(
        variant=name,
        device=device.name,
        batch=batch,
        precision=precision,
        mode="eager",
        cache="warm",
        threads=device.threads,
        phase=phase,
        round=number,
        position=position,
        start_ns=start_ns,
        seconds=seconds,
    )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Collect before, and not meanwhile."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

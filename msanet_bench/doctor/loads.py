"""The networks that a device is examined with, and batches that keep it busy."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from msanet_bench.measure.device import NANOSECOND, Call
from msanet_bench.model.build import build
from msanet_bench.model.initialise import initialise
from msanet_bench.session.networks import SEED, forward_call
from msanet_bench.session.run import Place
from msanet_bench.spec import BlockSpec, ModelSpec

_CLASSES = 10
_FIRST_BATCH, _LARGEST_BATCH = 32, 512
# of a call's time: what the host needs to queue it, where the device has enough to do
_LARGEST_LAUNCH = 0.25
_WARM_UPS = 3


@dataclass(frozen=True, slots=True)
class Load:
    """A network and the size (C, H, W) of its images."""

    model: ModelSpec
    image: tuple[int, int, int]

    def build(self) -> nn.Module:
        """The network from one start, so that all that are built are the same."""
        model = build(self.model, num_classes=_CLASSES, in_channels=self.image[0])
        initialise(model, SEED)
        return model.eval()


# 99,225 parameters: about a millisecond on a processor that nobody else uses
TWIN = Load(
    ModelSpec(stem=BlockSpec(block="small"), same_size_stages=(1,), width=0.125, depth=(1, 1, 1)), (3, 32, 32)
)
# the article's network: 1.84e9 multiply-accumulates an image
HEAVY = Load(ModelSpec(), (3, 224, 224))


def placed(load: Load, batch: int, where: torch.device) -> tuple[nn.Module, Tensor]:
    """A new network and random images, both on the device."""
    images = torch.randn(batch, *load.image, generator=torch.Generator().manual_seed(SEED))
    return load.build().to(where), images.to(where)


def warm_call(place: Place, load: Load, batch: int) -> Call:
    """A forward pass whose first calls, which differ, are over."""
    call = forward_call(*placed(load, batch, place.where))
    for _ in range(_WARM_UPS):
        place.device.run(call)
    place.device.synchronize()
    return call


def saturating_batch(place: Place, load: Load) -> int | None:
    """The smallest power of two from 32 on with which the device sets the pace; None if it is above 512.

    Raises:
        torch.OutOfMemoryError: the device is full before it is busy.
    """
    batch = _FIRST_BATCH
    while batch <= _LARGEST_BATCH:
        if _launch_share(place, warm_call(place, load, batch)) <= _LARGEST_LAUNCH:
            return batch
        batch *= 2
    return None


def _launch_share(place: Place, call: Call) -> float:
    """The part of a call's time for which the host is busy with it."""
    start = place.device.now_ns()
    place.device.run(call)
    launched = place.device.now_ns()
    place.device.synchronize()
    return (launched - start) * NANOSECOND / ((place.device.now_ns() - start) * NANOSECOND)

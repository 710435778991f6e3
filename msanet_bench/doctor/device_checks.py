"""Eight things that the timing relies on, each tried on a device.

The maintainers have not run this on a device: the tests have a simulated one.
"""

import gc
import re
from collections.abc import Callable
from dataclasses import fields
from typing import TypeAlias

import torch
from torch import Tensor

from msanet_bench.doctor.examination import Check
from msanet_bench.doctor.loads import HEAVY, TWIN, Load, placed
from msanet_bench.doctor.noise import MEASURED, noise_floor
from msanet_bench.doctor.timing_checks import (
    cold_is_not_faster_than_warm,
    events_agree_with_the_clock,
    the_loop_agrees_with_triton,
    twice_the_batch_takes_twice_as_long,
)
from msanet_bench.measure.cuda import CudaDevice
from msanet_bench.measure.device import CaptureError
from msanet_bench.measure.memory.cuda import Allocator, cuda_allocator, peak_of
from msanet_bench.measure.samples import NO_CUDA
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.measure.throttle import reason_words
from msanet_bench.session.networks import forward_call
from msanet_bench.session.precision import precision_set
from msanet_bench.session.run import Place

DeviceCheck: TypeAlias = Callable[[Place], Check]

# of the largest output: kernels chosen anew may round otherwise, an output that is none differs by far more
GRAPH_LIMIT = 1e-4
TWINS_SECONDS = 10.0

_GRAPH_BATCH, _PEAK_BATCH = 2, 8
_OF_A_GPU = ("sm_mhz", "memory_mhz", "temperature_c", "power_w", "event_reasons")


def a_graph_gives_what_eager_gives(place: Place, load: Load = TWIN) -> Check:
    """A replay of a captured forward pass, on images that came after the capture, gives eager's output."""
    model, images = placed(load, _GRAPH_BATCH, place.where)
    kept: list[Tensor] = []

    def call() -> None:
        with torch.inference_mode():
            kept[:] = [model(images)]

    try:
        replay = place.device.capture(call)
    except CaptureError as error:
        return _failed("graph", f"not captured ({plain_text(error)})")
    images.copy_(images.flip(-1))
    place.device.run(replay)
    place.device.synchronize()
    replayed = kept[0].clone()
    place.device.run(call)
    place.device.synchronize()
    off = float((replayed - kept[0]).abs().max() / kept[0].abs().max())
    detail = "a replayed graph differs from eager by this share of the largest output at most"
    return Check("graph", off <= GRAPH_LIMIT, off, GRAPH_LIMIT, detail)


def twins_tie(place: Place, load: Load = TWIN, seconds: float = TWINS_SECONDS) -> Check:
    """No pair of a session over one network under six names is told apart beyond what chance allows."""
    noise = noise_floor(place, seconds, load)
    if noise.surely_apart is None:
        reason = "one super-round gives no interval" if noise.status == MEASURED else noise.status
        return Check("twins", None, None, 0.0, f"not tried: {reason}")
    detail = (
        f"of {noise.pairs} pairs of twins this many are told apart at most, by intervals of 99 % for all "
        f"together (by those of 95 % for each: {noise.told_apart})"
    )
    return Check("twins", noise.surely_apart == 0, float(noise.surely_apart), 0.0, detail)


def the_peak_holds_weights_and_images(
    place: Place, load: Load = HEAVY, allocator: Allocator | None = None
) -> Check:
    """A forward pass takes at least the memory of the network and its images."""
    allocator = allocator or cuda_allocator(place.where.index or 0)
    if allocator is None:
        return Check("peak", None, None, None, NO_CUDA)
    # what earlier checks left must not be freed meanwhile
    gc.collect()
    before = allocator.allocated()
    model, images = placed(load, _PEAK_BATCH, place.where)
    tensors = [*model.parameters(), *model.buffers(), images]
    least = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    peak = peak_of(allocator, forward_call(model, images)).allocated - before
    detail = "a forward pass takes at least the bytes of weights and images"
    return Check("peak", peak >= least, float(peak), float(least), detail)


def telemetry_is_read_and_understood(place: Place) -> Check:
    """The device tells of its clocks, and its reasons for them have words."""
    state = place.device.telemetry()
    told = _told(state)
    limit = float(len(_OF_A_GPU))
    if not told:
        unread = place.device.gpu.unread if isinstance(place.device, CudaDevice) else {}
        why = next(iter(unread.values()), "no reason known")
        return _failed("telemetry", f"the device tells nothing ({plain_text(why)})")
    if state.event_reasons is None:
        return Check(
            "telemetry", None, float(told), limit, "not tried: the device tells no reasons for its clock"
        )
    words = reason_words(state.event_reasons)
    detail = f"values of {told} kinds; reasons for the clock: {', '.join(words) or 'none'}"
    is_understood = not any(word.startswith("unknown") for word in words)
    return Check("telemetry", is_understood, float(told), limit, detail)


# by the names that they give their results, in the order of their letters, (a) to (h), in the design
CHECKS: dict[str, DeviceCheck] = {
    "events": events_agree_with_the_clock,
    "graph": a_graph_gives_what_eager_gives,
    "cold": cold_is_not_faster_than_warm,
    "twins": twins_tie,
    "doubling": twice_the_batch_takes_twice_as_long,
    "triton": the_loop_agrees_with_triton,
    "peak": the_peak_holds_weights_and_images,
    "telemetry": telemetry_is_read_and_understood,
}


def run_check(name: str, place: Place) -> Check:
    """One check in the precision of sessions; a device that is full or breaks becomes a result too."""
    try:
        with precision_set("fp32_strict", place.where):
            return CHECKS[name](place)
    except torch.OutOfMemoryError:
        return Check(name, None, None, None, "not tried: the device is out of memory")
    except RuntimeError as error:  # all that torch and CUDA raise of themselves
        return _failed(name, f"{type(error).__name__}: {plain_text(error)}")


def plain_text(reason: object) -> str:
    """The first line of a message without what may be a path: an examination names no folder."""
    return re.sub(r"\S*[/\\]\S*", "(a path)", (str(reason).splitlines() or [""])[0])


def _told(state: Telemetry) -> int:
    names = {field.name for field in fields(state)} & set(_OF_A_GPU)
    return sum(getattr(state, name) is not None for name in names)


def _failed(name: str, detail: str) -> Check:
    return Check(name, passed=False, value=None, limit=None, detail=detail)

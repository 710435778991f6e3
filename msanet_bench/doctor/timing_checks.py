"""Whether a device's times are what the timing takes them for.

The maintainers have not run this on a device: the tests have a simulated one.
"""

from collections.abc import Callable
from statistics import median
from typing import Any, TypeAlias

import numpy as np
import torch

from msanet_bench.analysis.latency import Level, ratio
from msanet_bench.doctor.examination import Check
from msanet_bench.doctor.loads import HEAVY, Load, saturating_batch, warm_call
from msanet_bench.measure.device import Call
from msanet_bench.measure.window import Timing, Window, time_window
from msanet_bench.session.rules import RULES
from msanet_bench.session.run import Place

# Milliseconds of each call by another program's loop.
Bench: TypeAlias = Callable[[Call], list[float]]

EVENTS_LIMIT, DOUBLING_LIMIT = 0.03, 0.10
TRITON_LIMIT = RULES["cuda"].half_width

_WINDOWS = 20
_CALLS = 4
_TRITON_ROUNDS = 6
# half an interval: one that is wider holds 1 whatever the loops do
_WIDEST = 0.05
# where there is no device to ask: it fits into the L2 cache of any
_SMALL_CACHE = 2**20
# longer than a host takes to queue one kernel, tenfold
_LAUNCH_SECONDS = 1e-4
_NOT_BUSY = "not tried: the host takes more than a quarter of each call, up to a batch of 512"

# `graph` and `queue_ahead` are read from events, whatever is called
_BY_EVENTS = Timing("graph")
_AHEAD = Timing("queue_ahead", launch_seconds=_LAUNCH_SECONDS)
_COLD_AHEAD = Timing("queue_ahead", "cold", launch_seconds=_LAUNCH_SECONDS)


def events_agree_with_the_clock(place: Place, load: Load = HEAVY) -> Check:
    """On a network that keeps the device busy, events and a host that waits see the same time."""
    batch = saturating_batch(place, load)
    if batch is None:
        return Check("events", None, None, EVENTS_LIMIT, _NOT_BUSY)
    call = warm_call(place, load, batch)
    timing = Timing("graph", calls=_CALLS)
    windows = [time_window(place.device, call, timing) for _ in range(_WINDOWS)]
    off = median(abs(window.seconds / window.host_seconds - 1) for window in windows)
    detail = f"events differ from the waiting host's clock by this share at most, batch {batch}"
    return Check("events", off <= EVENTS_LIMIT, off, EVENTS_LIMIT, detail)


def cold_is_not_faster_than_warm(place: Place) -> Check:
    """A call that finds the caches flushed takes at least as long as one that finds its data there.

    It sums numbers that take a quarter of the L2 cache: what is slower when they come from memory.
    """
    numbers = torch.randn(_cache_bytes(place.where) // 16, device=place.where)
    warm, cold = _in_turns(place, numbers.sum, numbers.sum, _AHEAD, _COLD_AHEAD)
    value = cold / warm
    return Check(
        "cold", value >= 1, value, 1.0, "with cold caches a call takes this many times as long, or more"
    )


def twice_the_batch_takes_twice_as_long(place: Place, load: Load = HEAVY) -> Check:
    """Where the device is busy, time grows with the work."""
    batch = saturating_batch(place, load)
    if batch is None:
        return Check("doubling", None, None, DOUBLING_LIMIT, _NOT_BUSY)
    one, two = (warm_call(place, load, size) for size in (batch, 2 * batch))
    once, twice = _in_turns(place, one, two, _BY_EVENTS, _BY_EVENTS)
    off = abs(twice / once / 2 - 1)
    detail = f"batch {2 * batch} differs from twice the time of batch {batch} by this share at most"
    return Check("doubling", off <= DOUBLING_LIMIT, off, DOUBLING_LIMIT, detail)


def the_loop_agrees_with_triton(place: Place, load: Load = HEAVY, bench: Bench | None = None) -> Check:
    """Our windows with cold caches, as triton has them, and `triton.testing.do_bench` see the same time.

    The two take turns. They agree where the 95 % interval of their ratio holds 1, or where the ratio is
    within the half-width that a session on CUDA asks for.
    """
    bench = bench or _do_bench()
    if bench is None:
        return Check("triton", None, None, TRITON_LIMIT, "not tried: triton is not installed")
    batch = saturating_batch(place, load)
    if batch is None:
        return Check("triton", None, None, TRITON_LIMIT, _NOT_BUSY)
    call = warm_call(place, load, batch)
    ours, theirs = [], []
    for _ in range(_TRITON_ROUNDS):
        ours.append([time_window(place.device, call, _COLD_AHEAD).seconds for _ in range(_WINDOWS)])
        theirs.append([milliseconds / 1e3 for milliseconds in _benched(place, bench, call)])
    found = ratio(_level(ours), _level(theirs))
    off = abs(found.estimate - 1)
    interval = f"[{found.low:.4f}, {found.high:.4f}], batch {batch}"
    if found.half_width > _WIDEST:
        return Check("triton", None, off, TRITON_LIMIT, f"not told: the interval {interval} is too wide")
    agree = not found.excludes_one or off <= TRITON_LIMIT
    detail = f"the loops differ by this share at most, or the interval holds 1: {interval}"
    return Check("triton", agree, off, TRITON_LIMIT, detail)


def _in_turns(place: Place, one: Call, other: Call, of_one: Timing, of_other: Timing) -> tuple[float, float]:
    """Medians of the seconds of two calls that take turns; the first turn warms both."""
    pairs = [
        (time_window(place.device, one, of_one), time_window(place.device, other, of_other))
        for _ in range(_WINDOWS + 1)
    ][1:]
    return _middle([first for first, _ in pairs]), _middle([second for _, second in pairs])


def _middle(windows: list[Window]) -> float:
    return median(window.seconds for window in windows)


def _cache_bytes(where: torch.device) -> int:
    if where.type != "cuda":
        return _SMALL_CACHE
    size: int = torch.cuda.get_device_properties(where).L2_cache_size
    return size


def _benched(place: Place, bench: Bench, call: Call) -> list[float]:
    """What another loop says, with this device as the current one."""
    taken: list[float] = []
    place.device.run(lambda: taken.extend(bench(call)))
    return taken


def _do_bench() -> Bench | None:
    try:
        from triton.testing import do_bench  # noqa: PLC0415  # comes with torch's CUDA wheels alone
    except ImportError:
        return None

    def bench(call: Call) -> list[float]:
        every: Any = do_bench(call, return_mode="all")
        return [float(milliseconds) for milliseconds in every]

    return bench


def _level(rounds: list[list[float]]) -> Level:
    """Log seconds, each with the number of its round."""
    numbers = [number for number, seconds in enumerate(rounds) for _ in seconds]
    return Level(np.log([second for seconds in rounds for second in seconds]), np.array(numbers))

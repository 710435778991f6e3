"""One timed window on a device, and the visits and the warm-up that are made of windows."""

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from msanet_bench.measure.device import NANOSECOND, Call, Device
from msanet_bench.spec import LatencyCache

# host: what a caller waits; graph: one launch, between events; queue_ahead: launched while the device is held
Clock: TypeAlias = Literal["host", "graph", "queue_ahead"]

_FEWEST_CALLS = 10
_FEWEST_SECONDS = 0.2
_AGREEMENT = 0.02


class Window(NamedTuple):
    """Seconds of one call, as a mean over the calls of the window.

    Attributes:
        seconds: By the contender's own clock: what stands in tables.
        host_seconds: Until the host knows that all is done, what it queued before the first call included.
        calls: How many ran between the two ends of the window.
    """

    start_ns: int
    seconds: float
    host_seconds: float
    calls: int


@dataclass(frozen=True, slots=True)
class Timing:
    """How a call is timed.

    Attributes:
        calls: In one window, so that a window is longer than an event can resolve.
        launch_seconds: How long the host takes to queue a window; for `queue_ahead`.
    """

    clock: Clock = "host"
    cache: LatencyCache = "warm"
    calls: int = 1
    launch_seconds: float = 0.0


def time_window(device: Device, call: Call, timing: Timing) -> Window:
    """Time one window. Nothing that was queued before is counted, and everything in it is done at its end."""
    if timing.cache == "cold":
        device.flush()
    device.synchronize()
    start_ns = device.now_ns()
    if timing.clock == "host":
        _run(device, call, timing.calls)
        device.synchronize()
        host_seconds = (device.now_ns() - start_ns) * NANOSECOND / timing.calls
        return Window(start_ns, host_seconds, host_seconds, timing.calls)
    # an idle device would pass the first event before the first launch has reached it
    device.hold(2 * timing.launch_seconds)
    first = device.event()
    _run(device, call, timing.calls)
    last = device.event()
    device.synchronize()
    host_seconds = (device.now_ns() - start_ns) * NANOSECOND / timing.calls
    return Window(start_ns, last.seconds_since(first) / timing.calls, host_seconds, timing.calls)


def warm_up(take: Callable[[], Window], *, most_seconds: float) -> Iterator[Window]:
    """Windows until what is timed is warm: ten calls, a fifth of a second, and two runs of ten that agree.

    On a machine that never agrees with itself it ends after `most_seconds`.
    """
    taken: list[float] = []
    spent = 0.0
    while spent < most_seconds and not _is_warm(taken, spent):
        window = take()
        taken.append(window.seconds)
        spent += window.host_seconds * window.calls
        yield window


def calls_per_window(seconds: float, shortest_window: float) -> int:
    """How many calls make a window of at least this many seconds."""
    return max(1, math.ceil(shortest_window / seconds)) if seconds > 0 else 1


def _run(device: Device, call: Call, times: int) -> None:
    for _ in range(times):
        device.run(call)


def _is_warm(taken: list[float], spent: float) -> bool:
    if len(taken) < 2 * _FEWEST_CALLS or spent < _FEWEST_SECONDS:
        return False
    before, now = (
        statistics.median(run) for run in (taken[-2 * _FEWEST_CALLS : -_FEWEST_CALLS], taken[-_FEWEST_CALLS:])
    )
    return abs(now - before) <= _AGREEMENT * before

"""A contender of this process: a call on a device, timed by the rules of that device."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

from msanet_bench.measure.device import NANOSECOND, Call, Device
from msanet_bench.measure.memory.refused import is_out_of_memory
from msanet_bench.measure.samples import Phase
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.measure.window import Clock, Timing, Window, calls_per_window, time_window, warm_up
from msanet_bench.session.recorder import Refused
from msanet_bench.session.rules import Rules
from msanet_bench.spec import LatencyCache

OUT_OF_MEMORY = "oom"

_FIRST_WINDOWS = 5


@dataclass(frozen=True, slots=True)
class Local:
    """A call that is ready.

    Attributes:
        place: Makes the call anew, elsewhere in memory; None where it has to stay.
    """

    device: Device
    call: Call
    rules: Rules
    timing: Timing
    place: Callable[[], Call] | None = None

    @property
    def clock(self) -> Clock:
        return self.timing.clock

    def moved(self) -> "Local":
        with memory_refused():
            return self if self.place is None else replace(self, call=self.place())

    def warm_up(self) -> Iterator[Window]:
        return warm_up(partial(self._take, self.timing), most_seconds=self.rules.warm_seconds)

    def visit(self) -> Iterator[tuple[Phase, Window]]:
        for number in range(self.rules.discards + self.rules.windows):
            phase: Phase = "discard" if number < self.rules.discards else "measure"
            yield phase, self._take(self.timing)
        if self.rules.stream_calls and self.timing.cache == "warm":  # only the first of a row would be cold
            times, timing = self.rules.stream_calls, self.timing
            launch_seconds = times * timing.launch_seconds
            in_a_row = replace(timing, calls=times * timing.calls, launch_seconds=launch_seconds)
            yield "stream", self._take(in_a_row)

    def telemetry(self) -> Telemetry:
        return self.device.telemetry()

    def _take(self, timing: Timing) -> Window:
        with memory_refused():
            return time_window(self.device, self.call, timing)


@contextmanager
def memory_refused() -> Iterator[None]:
    """Whoever runs out of memory is refused, and the others go on."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise Refused(OUT_OF_MEMORY) from error


def made_ready(
    device: Device,
    call: Call,
    rules: Rules,
    *,
    clock: Clock,
    cache: LatencyCache,
    place: Callable[[], Call] | None = None,
) -> Local:
    """A call with windows of the length that the device wants; its first calls, which differ, are over."""
    timing = Timing(clock, cache, launch_seconds=_launch_seconds(device, call))
    if cache == "warm":  # in a longer window only the first call would find the caches cold
        seconds = median(time_window(device, call, timing).seconds for _ in range(_FIRST_WINDOWS))
        calls = calls_per_window(seconds, rules.shortest_window)
        timing = replace(timing, calls=calls, launch_seconds=calls * timing.launch_seconds)
    return Local(device, call, rules, timing, place)


def _launch_seconds(device: Device, call: Call) -> float:
    """How long the host is busy with one call, the device's own work apart."""
    device.run(call)
    device.synchronize()
    start = device.now_ns()
    device.run(call)
    return (device.now_ns() - start) * NANOSECOND

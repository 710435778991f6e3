"""A machine that is as slow at each moment as a real one was, and networks that take what they say."""

from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from msanet_bench.measure.device import Call, CaptureError, DeviceName
from msanet_bench.measure.samples import Condition, Contender, Role, Session
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.session.local import made_ready
from msanet_bench.session.loop import run_session
from msanet_bench.session.recorder import Entrant, Outcome
from msanet_bench.session.rules import RULES, Rules, Schedule

DATA = Path(__file__).parent / "data"
TRACES = [np.load(DATA / f"latency_noise_trace_{number}.npy") for number in (1, 2)]
CONDITION = Condition("cpu", 1, "fp32_strict", "warm", 1)
QUIET = Telemetry(None, None, None, None, None, None, 0, 0, None)

Y = TypeVar("Y")
R = TypeVar("R")


class ReplayDevice:
    """A call returns how many seconds it takes on a calm machine; the recorded times say how calm it is.

    The recording starts at `start` of its calls and begins anew where it ends.
    """

    name: DeviceName = "cpu"
    threads = 1

    def __init__(self, trace: np.ndarray, start: int = 0) -> None:
        self.slowness = np.roll(trace[:, 1], -start) / np.median(trace[:, 1])
        self.calls, self.ns = 0, 0.0

    def now_ns(self) -> int:
        return round(self.ns)

    def event(self) -> "ReplayEvent":
        return ReplayEvent(self.ns)

    def synchronize(self) -> None: ...

    def run(self, call: Call) -> None:
        seconds = call()
        assert isinstance(seconds, float)
        self.ns += 1e9 * seconds * self.slowness[self.calls % len(self.slowness)]
        self.calls += 1

    def flush(self) -> None: ...

    def hold(self, seconds: float) -> None: ...

    def capture(self, call: Call) -> Call:
        raise CaptureError(f"no graph for {call}")

    def telemetry(self) -> Telemetry:
        return QUIET


class ReplayEvent:
    def __init__(self, ns: float) -> None:
        self.ns = ns

    def seconds_since(self, start: "ReplayEvent") -> float:
        return (self.ns - start.ns) * 1e-9


def ended(generator: Generator[Y, None, R]) -> R:
    """What a generator returns, all that it yields let go."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def contender(variant: str, role: Role = "variant") -> Contender:
    return Contender("head", variant, role, "eager", "contiguous")


def entrants(seconds: Mapping[Contender, float], device: ReplayDevice, rules: Rules) -> list[Entrant]:
    def loader(value: float) -> Callable[[], object]:
        return lambda: made_ready(device, lambda: value, rules, clock="host", cache="warm")

    return [Entrant(who, loader(value)) for who, value in seconds.items()]


def replayed(
    seconds: Mapping[Contender, float],
    device: ReplayDevice,
    *,
    rounds: int,
    seed: int = 0,
    rules: Rules = RULES["cpu"],
) -> Outcome:
    """One session over networks of known speed; the first is the anchor."""
    schedule = Schedule(rounds, None, seed)
    return ended(run_session(entrants(seconds, device, rules), CONDITION, rules, schedule))


def as_session(outcome: Outcome, half_width: float = 0.02) -> Session:
    names = dict.fromkeys(sample.contender for sample in outcome.samples)
    widths = {"cpu": half_width, "cuda": half_width}
    return Session("d", widths, 10_000, tuple(names), outcome.unmeasured, outcome.samples)


def planted(names: Sequence[str], step: float, seed: int, fastest: float = 2e-3) -> dict[Contender, float]:
    """Networks each slower than the next by `step`, in an order that their names do not tell."""
    ranks = np.random.default_rng(seed).permutation(len(names))
    return {
        contender(name, "anchor" if place == 0 else "variant"): fastest * step ** int(rank)
        for place, (name, rank) in enumerate(zip(names, ranks, strict=True))
    }

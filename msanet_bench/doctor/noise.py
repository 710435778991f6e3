"""The noise floor of a device: how far one network seems to differ from itself."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from itertools import combinations
from statistics import median
from typing import Any

from msanet_bench.analysis.latency import Level, Ratio, ratio
from msanet_bench.doctor.examination import NoiseFloor
from msanet_bench.doctor.loads import TWIN, Load, placed
from msanet_bench.measure.device import NANOSECOND
from msanet_bench.measure.flags import torch_flags
from msanet_bench.measure.samples import Session
from msanet_bench.measure.window import Timing, time_window
from msanet_bench.session.conditions import summarise_conditions
from msanet_bench.session.loop import Progress, run_session
from msanet_bench.session.networks import HEAD, SEED, Bench, Network, entrants, forward_call
from msanet_bench.session.precision import precision_set
from msanet_bench.session.recorder import Outcome
from msanet_bench.session.rules import RULES, Rules, Schedule
from msanet_bench.session.run import Place, threads_set
from msanet_bench.session.visits import anchor_of, standings
from msanet_bench.spec import LatencyPrecision

MEASURED = "measured"

# a session adds a twin of the first and one of the last: six names, fifteen pairs
_NETWORKS = 4
_NAMES = _NETWORKS + 2
_PAIRS = _NAMES * (_NAMES - 1) // 2
# Bonferroni: all pairs of a session together miss their 1 in one session of a hundred
_SURE = 1 - 0.01 / _PAIRS
_BATCH, _THREADS = 1, 1
_PRECISION: LatencyPrecision = "fp32_strict"
# time ends the session, not the number of rounds
_ROUNDS = 100_000


def noise_floor(place: Place, seconds: float, load: Load = TWIN) -> NoiseFloor:
    """A latency session by the rules of the device over one network under six names, for about `seconds`.

    It differs from the sessions of a sweep in two things: nobody is done before the time is over, however
    narrow the intervals, and the warm-up takes no more than a third of the time.
    """

    def clock() -> float:
        return place.device.now_ns() * NANOSECOND

    were = torch_flags()
    with threads_set(_THREADS), precision_set(_PRECISION, place.where):
        flags = {name: value for name, value in torch_flags().items() if value != were[name]}
        rules = _rules(place.device.name, seconds)
        bench = Bench(place.device, place.where, rules, _BATCH, _PRECISION, "warm", {})
        first_call_s = _first_call(place, load)
        entering = entrants([_network(number, load) for number in range(_NETWORKS)], ("eager",), bench)
        schedule = Schedule(_ROUNDS, seconds, SEED)
        start = clock()
        outcome = _ended(run_session(entering, bench.condition, rules, schedule, clock=clock))
        lasted = clock() - start
    return NoiseFloor(
        device=place.device.name,
        threads=_THREADS,
        batch=_BATCH,
        precision=_PRECISION,
        names=_NAMES,
        pairs=_PAIRS,
        first_call_s=first_call_s,
        seconds=lasted,
        flags=flags,
        state=place.device.telemetry(),
        **_findings(outcome),
    )


def _rules(device: str, seconds: float) -> Rules:
    rules = RULES[device]
    return replace(rules, half_width=0.0, warm_seconds=min(rules.warm_seconds, seconds / (3 * _NAMES)))


def _first_call(place: Place, load: Load) -> float:
    call = forward_call(*placed(load, _BATCH, place.where))
    return time_window(place.device, call, Timing()).seconds


def _network(number: int, load: Load) -> Network:
    return Network(HEAD, f"twin {number}", load.build, load.image, channels_last=False)


def _ended(session: Generator[Progress, None, Outcome]) -> Outcome:
    while True:
        try:
            next(session)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def _findings(outcome: Outcome) -> Mapping[str, Any]:
    """What the samples say, by the names of the fields."""
    if outcome.unmeasured:
        return _nothing(outcome.unmeasured[0].status)
    standing = standings(outcome.samples)
    found = summarise_conditions(Session("", {}, _ROUNDS, tuple(standing), (), outcome.samples))[0]
    return {
        "super_rounds": found.super_rounds,
        "rounds": found.rounds,
        "latency_s": float(median(standing[anchor_of(standing)].seconds)),
        "rejected": found.rejected,
        # the medians of one super-round have no range
        "drift": found.drift if found.super_rounds > 1 else None,
        **_of_pairs([where.level for where in standing.values()]),
        "status": MEASURED,
    }


def _of_pairs(levels: list[Level]) -> Mapping[str, Any]:
    if any(level.super_rounds == 1 for level in levels):
        return dict.fromkeys(("half_width", "largest_difference", "told_apart", "surely_apart"))
    ratios = _ratios(levels, 0.95)
    return {
        "half_width": median(pair.half_width for pair in ratios),
        "largest_difference": max(abs(pair.estimate - 1) for pair in ratios),
        "told_apart": sum(pair.excludes_one for pair in ratios),
        "surely_apart": sum(pair.excludes_one for pair in _ratios(levels, _SURE)),
    }


def _ratios(levels: list[Level], confidence: float) -> list[Ratio]:
    return [ratio(one, other, confidence) for one, other in combinations(levels, 2)]


def _nothing(status: str) -> Mapping[str, Any]:
    missing = ("latency_s", "rejected", "drift", "half_width", "largest_difference", "told_apart")
    return {**dict.fromkeys((*missing, "surely_apart")), "super_rounds": 0, "rounds": 0, "status": status}

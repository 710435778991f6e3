"""What a contrast of variants costs: the same weights on counts, which are exact, and on latencies."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from msanet_bench.analysis.weights import Weights
from msanet_bench.report.document import Bar
from msanet_bench.report.inputs import Inputs
from msanet_bench.report.latency import DEVICES, main_timings
from msanet_bench.report.profiles import Profile
from msanet_bench.report.timings import Timing

# Weights are rounded fractions, so equal counts may leave this share of themselves where they cancel.
_ROUNDING = 1e-14


@dataclass(frozen=True, slots=True)
class Costs:
    """Every variant's costs.

    Attributes:
        latency: Seconds by variant, by kind of device.
    """

    profiles: Mapping[str, Profile]
    latency: Mapping[str, Mapping[str, Bar]]


@dataclass(frozen=True, slots=True)
class CostChange:
    """The costs of a contrast; None where one of its variants has none.

    Attributes:
        memory: Of the estimated peak of training, in bytes.
        latency: In seconds, by kind of device; its interval takes the errors of the variants for independent.
    """

    params: float | None
    macs: float | None
    memory: float | None
    latency: Mapping[str, Bar]


def read_costs(inputs: Inputs) -> Costs:
    """The costs that a results folder knows."""
    tables = {family: main_timings(inputs.latencies, family) for family in DEVICES}
    return Costs(
        profiles=inputs.profiles,
        latency={
            family: {name: _latency(timing) for name, timing in table.items()}
            for family, table in tables.items()
            if table
        },
    )


def change(costs: Costs, weights: Weights | None) -> CostChange | None:
    """The change of costs with the weights of a contrast."""
    if weights is None:
        return None
    known = {name: costs.profiles[name] for name in weights if name in costs.profiles}
    return CostChange(
        params=_sum(weights, {name: profile.params for name, profile in known.items()}),
        macs=_sum(weights, {name: profile.macs for name, profile in known.items()}),
        memory=_sum(weights, {name: profile.training_peak_bytes for name, profile in known.items()}),
        latency={
            family: bar
            for family, table in costs.latency.items()
            if (bar := _latency_change(weights, table)) is not None
        },
    )


def _latency(timing: Timing) -> Bar:
    """Seconds; the anchor's own latency is the unit of all others and has no interval of its own."""
    latency = timing.latency or math.nan
    if timing.role == "anchor":
        return Bar(latency, latency, latency)
    if timing.ratio is None or timing.ratio_low is None or timing.ratio_high is None:
        return Bar(latency, math.nan, math.nan)
    unit = latency / timing.ratio
    return Bar(latency, unit * timing.ratio_low, unit * timing.ratio_high)


def _sum(weights: Weights, costs: Mapping[str, float | None]) -> float | None:
    values = [(weight, costs.get(name)) for name, weight in weights.items() if weight]
    known = [weight * value for weight, value in values if value is not None]
    if len(known) < len(values):
        return None
    total = math.fsum(known)
    return total if abs(total) > _ROUNDING * sum(map(abs, known)) else 0.0


def _latency_change(weights: Weights, table: Mapping[str, Bar]) -> Bar | None:
    if any(name not in table for name, weight in weights.items() if weight):
        return None
    used = [(weight, table[name]) for name, weight in weights.items() if weight]
    estimate = sum(weight * bar.estimate for weight, bar in used)
    half = math.hypot(*(weight * (bar.high - bar.low) / 2 for weight, bar in used))
    return Bar(estimate, estimate - half, estimate + half)

"""What a change of the network costs, and how much accuracy that buys: columns of a table."""

import math

from msanet_bench.report.costs import CostChange
from msanet_bench.report.document import Bar, Cell
from msanet_bench.report.findings import Findings
from msanet_bench.report.latency import DEVICES
from msanet_bench.report.numbers import ABSENT, count, fixed, mebibytes_change, milliseconds_change

# From here on a network's MACs are told by the billion.
_MANY_MACS = 1e8


def price_header(findings: Findings) -> tuple[str, ...]:
    """The titles above `price_cells`: costs, and percentage points for each unit of cost."""
    timed = _timed(findings)
    return (
        "params",
        "MACs",
        "training peak, MiB",
        *(f"{DEVICES[family]}, ms [95 %]" for family in timed),
        f"pp per {_unit(findings)[0]}",
        *(f"pp per ms, {DEVICES[family]}" for family in timed),
    )


def price_cells(findings: Findings, worth: float | None, costs: CostChange | None) -> tuple[Cell, ...]:
    """The costs of a change that is worth so much accuracy; no price where the cost may be 0."""
    latencies = [costs.latency.get(family) if costs else None for family in _timed(findings)]
    macs = costs.macs if costs else None
    return (
        count(costs.params if costs else None, signed=True),
        count(macs, signed=True),
        mebibytes_change(costs.memory if costs else None),
        *map(milliseconds_change, latencies),
        _price(worth, macs / _unit(findings)[1] if macs else None),
        *(_price(worth, _sure_milliseconds(latency)) for latency in latencies),
    )


def _timed(findings: Findings) -> list[str]:
    return [family for family in DEVICES if family in findings.costs.latency]


def _unit(findings: Findings) -> tuple[str, float]:
    profile = findings.baseline.profile
    is_large = profile is not None and profile.macs is not None and profile.macs >= _MANY_MACS
    return ("GMAC", 1e9) if is_large else ("million MACs", 1e6)


def _sure_milliseconds(latency: Bar | None) -> float | None:
    """None where the interval contains 0, or there is none."""
    if latency is not None and (latency.low > 0 or latency.high < 0):
        return 1000 * latency.estimate
    return None


def _price(worth: float | None, cost: float | None) -> str:
    if worth is None or cost is None or math.isnan(cost):
        return ABSENT
    return fixed(100 * worth / cost, 2, signed=True)

"""Configurations of a search timed beside its baseline, in the coordinator, while no cell runs."""

from collections.abc import Sequence

from msanet_bench.cell import THREADS_PER_WORKER, device_name
from msanet_bench.checks import CheckedPlan
from msanet_bench.errors import BenchError
from msanet_bench.measure.environment import environment
from msanet_bench.measure.samples import Session
from msanet_bench.plan import Variant
from msanet_bench.search import Timing
from msanet_bench.session.networks import networks_of
from msanet_bench.session.run import Place, Taken, places, take_session
from msanet_bench.session.table import LatencyRow, summarise
from msanet_bench.spec import MeasureSpec, digest

# on a quiet machine 40 rounds are enough; what is chosen in the end is timed again, for longer
_SHORT = MeasureSpec(
    latency_rounds=80,
    latency_batches=(1,),
    latency_modes=("eager",),
    latency_precisions=("fp32_strict",),
    latency_caches=("warm",),
)


def time_beside_baseline(
    plan: CheckedPlan, kind: str, variants: Sequence[Variant], *, on: Place | None = None
) -> list[Timing]:
    """How long one image takes in each variant on a kind of device; the first is the baseline.

    Raises:
        BenchError: the baseline cannot be timed.
    """
    place = on or next(place for place in places() if place.device.name == kind)
    session = _taken(plan.of(variants), place)
    rows = [row for row in summarise(session) if row.role != "twin" and row.device == place.device.name]
    if rows[0].latency_s is None:
        raise BenchError(f"the baseline cannot be timed, and others are compared with it: {rows[0].status}.")
    machine = digest(environment())
    return [_timing(row, rows[0].latency_s, device_name(kind), machine) for row in rows]


def _taken(plan: CheckedPlan, place: Place) -> Session:
    taking = take_session(_SHORT, networks_of(plan), threads=THREADS_PER_WORKER, identity="", on=[place])
    while True:
        try:
            next(taking)
        except StopIteration as ended:
            taken: Taken = ended.value
            return taken.session


def _timing(row: LatencyRow, baseline_s: float, device: str, machine: str) -> Timing:
    return Timing(
        baseline_s=baseline_s,
        ratio=row.ratio_to_anchor,
        low=row.ratio_low,
        high=row.ratio_high,
        reason="" if row.ratio_to_anchor is not None else row.status,
        device=device,
        machine=machine,
    )

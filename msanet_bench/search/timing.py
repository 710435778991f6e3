"""How long a configuration takes, known before it is trained: timed in a session beside the baseline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from msanet_bench.constraint import Constraint
from msanet_bench.errors import BenchError
from msanet_bench.plan import Variant
from msanet_bench.search_spec import SearchSpec
from msanet_bench.spec import Experiment

LATENCY, RATIO = "latency", "latency_ratio"


@dataclass(frozen=True, slots=True)
class Timing:
    """One image through one network.

    Attributes:
        baseline_s: How long the baseline took in the same session.
        ratio: To the baseline; None where the network could not be timed.
        low: With `high` the interval of the ratio, as in the tables of latency.
        reason: Why there is no ratio.
        device: `cpu`, or the model of the CUDA device.
        machine: A digest of what times depend on beside the network and the code.
    """

    baseline_s: float
    ratio: float | None
    low: float | None
    high: float | None
    reason: str
    device: str
    machine: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def costs(self, baseline_s: float) -> dict[str, float | None]:
        """The ratio, and the latency as if this session's baseline had taken so many seconds.

        Those of the first session are taken for all, so that a machine that drifts from batch to batch makes
        no configuration faster than another.
        """
        return {LATENCY: None if self.ratio is None else self.ratio * baseline_s, RATIO: self.ratio}


# of the variants of one session, the first of which is the baseline
Time: TypeAlias = Callable[[Sequence[Variant]], Sequence[Timing]]


def is_timed(experiment: Experiment) -> bool:
    """Whether a search needs to know latencies before it trains."""
    search = experiment.search or SearchSpec()
    return LATENCY in search.objectives or any(limit.is_timed for limit in experiment.constraints)


def timed_limits(experiment: Experiment, number: int) -> Sequence[Constraint]:
    """The limits on the latency of a trial; those that are ratios to the baseline are not for itself."""
    return [c for c in experiment.constraints if c.is_timed and (number > 0 or c.measure != RATIO)]


def counted(costs: Mapping[str, float | None]) -> dict[str, float | None]:
    """What is known of a configuration before it is timed."""
    return {name: value for name, value in costs.items() if name not in {LATENCY, RATIO}}


def newly_timed(
    variants: Mapping[int, Variant], known: Mapping[int, Timing], baseline: Variant, time: Time
) -> dict[int, Timing]:
    """The timings of those trials that have none yet, by number; trial 0 is the baseline.

    Raises:
        BenchError: this is not the machine that the first were timed on.
    """
    missing = [number for number in variants if number not in known]
    if not missing:
        return {}
    of_baseline, *others = time([baseline, *(variants[number] for number in missing if number > 0)])
    if 0 in known:
        _require_same_machine(known[0], of_baseline)
    return dict(zip(missing, [of_baseline, *others] if missing[0] == 0 else others, strict=True))


def _require_same_machine(first: Timing, now: Timing) -> None:
    if (first.device, first.machine) != (now.device, now.machine):
        raise BenchError(
            "the configurations of this search were timed on another machine or with other software "
            f"({first.device} there, {now.device} here), and latencies of two are not compared. Go on there, "
            "or search anew in another folder (--results)."
        )

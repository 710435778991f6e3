"""What the session of one condition says of itself: whether its ranking would come out again."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from msanet_bench.analysis.latency import Level, drift, split_half_tau
from msanet_bench.measure.samples import Condition, Contender, Sample, Session
from msanet_bench.session.visits import Standing, anchor_of, by_condition, standings, twin_ratios


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One condition that was measured; what one super-round alone cannot tell is None.

    Attributes:
        rounds: Visits of the contender that was visited most, the anchor apart.
        split_half_tau: Kendall's tau between the rankings of the odd and of the even super-rounds, in the
            mode where it is lowest: modes are far apart, so between them rankings agree by themselves.
        drift: Range of the anchor's medians over the super-rounds, as a share of their median.
        rejected: Share of the measured windows that do not count.
        twins: Pairs of one network under two names.
        twins_told_apart: How many of those pairs have a 95 % interval without 1.
    """

    device: str
    batch: int
    precision: str
    cache: str
    threads: int
    contenders: int
    super_rounds: int
    rounds: int
    split_half_tau: float | None
    drift: float | None
    rejected: float
    twins: int
    twins_told_apart: int | None


def summarise_conditions(session: Session) -> list[ConditionRow]:
    """One row a condition, the CPU before CUDA."""
    return [
        _row(condition, samples)
        for condition, samples in by_condition(session.samples).items()
        if any(sample.counts for sample in samples)
    ]


def _row(condition: Condition, samples: Sequence[Sample]) -> ConditionRow:
    standing = standings(samples)
    anchor = anchor_of(standing)
    of_anchor = standing[anchor]
    twins = twin_ratios(standing)
    is_repeated = of_anchor.level.super_rounds > 1
    measured = [sample for sample in samples if sample.visit.phase == "measure"]
    return ConditionRow(
        **asdict(condition),
        contenders=len(standing),
        super_rounds=of_anchor.level.super_rounds,
        rounds=max(
            (len(where.seconds) for who, where in standing.items() if who != anchor),
            default=len(of_anchor.seconds),
        ),
        split_half_tau=_lowest_tau(standing),
        drift=drift(of_anchor.seconds, of_anchor.level.super_round) if is_repeated else None,
        rejected=sum(bool(sample.rejected) for sample in measured) / len(measured),
        twins=len(twins),
        twins_told_apart=sum(pair.excludes_one for pair in twins.values()) if is_repeated else None,
    )


def _lowest_tau(standing: Mapping[Contender, Standing]) -> float | None:
    modes: dict[str, list[Level]] = defaultdict(list)
    for who, where in standing.items():
        if who.role != "twin":
            modes[who.mode].append(where.level)
    taus = map(split_half_tau, modes.values())
    return min((tau for tau in taus if not math.isnan(tau)), default=None)

"""What the session of one condition says of itself: whether its ranking would come out again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from msanet_bench.analysis.latency import drift, split_half_tau
from msanet_bench.measure.samples import Condition, Sample, Session
from msanet_bench.session.visits import anchor_of, by_condition, standings, twin_ratios


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One condition that was measured.

    Attributes:
        rounds: Visits of the contender that was visited most, the anchor apart.
        split_half_tau: Kendall's tau between the rankings of the odd and of the even super-rounds.
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
    drift: float
    rejected: float
    twins: int
    twins_told_apart: int


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
    measured = [sample for sample in samples if sample.visit.phase == "measure"]
    tau = split_half_tau([where.level for who, where in standing.items() if who.role != "twin"])
    return ConditionRow(
        **asdict(condition),
        contenders=len(standing),
        super_rounds=of_anchor.level.super_rounds,
        rounds=max(len(where.seconds) for who, where in standing.items() if who != anchor),
        split_half_tau=None if np.isnan(tau) else tau,
        drift=drift(of_anchor.seconds, of_anchor.level.super_round),
        rejected=sum(bool(sample.rejected) for sample in measured) / len(measured),
        twins=len(twins),
        twins_told_apart=sum(pair.excludes_one for pair in twins.values()),
    )

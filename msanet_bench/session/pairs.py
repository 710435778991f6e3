"""Two sides of one session: how much longer each variant of the head takes than that of the base."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from msanet_bench.analysis.latency import Ratio, ratio
from msanet_bench.errors import BenchError
from msanet_bench.measure.samples import Condition, Contender, Session
from msanet_bench.session.networks import BASE, HEAD
from msanet_bench.session.visits import Standing, anchor_of, by_condition, standings

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Pair:
    """One variant on both sides, under one condition.

    Attributes:
        ratio: Head to base, with its 95 % interval.
        together: The same with intervals so wide that all pairs hold at once with 95 % (Bonferroni).
    """

    variant: str
    mode: str
    condition: Condition
    base_s: float
    head_s: float
    ratio: Ratio
    together: Ratio

    def is_beyond(self, limit: float) -> bool:
        """Whether the whole interval lies above the limit, all pairs considered."""
        return self.together.low > limit


def parse_gate(text: str) -> float:
    """`+5%` as the ratio 1.05.

    Raises:
        BenchError: the text is no such percentage.
    """
    match = re.fullmatch(r"\s*\+?(\d+(?:\.\d*)?)\s*%\s*", text)
    if match is None:
        raise BenchError(f"--gate: must be a percentage such as `+5%`, but got {text!r}.")
    return 1 + float(match[1]) / 100


def pairs_of(session: Session) -> list[Pair]:
    """Every variant that was measured on both sides, in the order of the session."""
    found = [
        (condition, standing, base, head)
        for condition, samples in by_condition(session.samples).items()
        for standing in (standings(samples),)
        for base, head in _both_sides(session.contenders, standing)
    ]
    confidence = 1 - (1 - _CONFIDENCE) / max(1, len(found))
    return [_pair(*both, confidence) for both in found]


def unjudged(session: Session, pairs: Sequence[Pair]) -> list[str]:
    """Who stands on both sides without an interval: a gate must not overlook what broke."""
    judged = {(pair.variant, pair.mode) for pair in pairs if not math.isnan(pair.ratio.low)}
    sides = [
        {_name(who) for who in session.contenders if who.side == side and who.role != "twin"}
        for side in (HEAD, BASE)
    ]
    return [f"{variant} ({mode})" for variant, mode in sorted(sides[0] & sides[1] - judged)]


def _both_sides(
    contenders: Sequence[Contender], standing: dict[Contender, Standing]
) -> Iterator[tuple[Contender, Contender]]:
    bases = {_name(who): who for who in standing if who.side == BASE and who.role != "twin"}
    for who in contenders:
        if who in standing and who.side == HEAD and who.role != "twin" and _name(who) in bases:
            yield bases[_name(who)], who


def _name(contender: Contender) -> tuple[str, str]:
    return contender.variant, contender.mode


def _pair(
    condition: Condition,
    standing: dict[Contender, Standing],
    base: Contender,
    head: Contender,
    confidence: float,
) -> Pair:
    anchor = standing[anchor_of(standing)]
    scale = float(np.median(anchor.seconds))
    return Pair(
        variant=head.variant,
        mode=head.mode,
        condition=condition,
        base_s=scale * ratio(standing[base].level, anchor.level).estimate,
        head_s=scale * ratio(standing[head].level, anchor.level).estimate,
        ratio=ratio(standing[head].level, standing[base].level, _CONFIDENCE),
        together=ratio(standing[head].level, standing[base].level, confidence),
    )

"""What a statistic found: one number or several, each with what is known of its error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from msanet_bench.claims.student import NOWHERE_KNOWN, Interval, mean_interval

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Part:
    """One number that a claim speaks of.

    Attributes:
        label: Which one, where a claim speaks of several; else "".
        value: The estimate in base units; None where there are no rows.
        interval: Where the true value lies; the value itself where it is exact.
        joint: The same, so wide that those of all parts hold at once (Bonferroni).
        pairs: How many paired differences there are; 0 for what is exact.
        basis: What the number rests on, for readers: `5 seeds, 32 settings of the other factors`.
    """

    label: str
    value: float | None
    interval: Interval
    joint: Interval
    pairs: int = 0
    basis: str = ""

    @property
    def is_exact(self) -> bool:
        return self.value is not None and self.interval.low == self.interval.high


@dataclass(frozen=True, slots=True)
class Found:
    """What a claim's statistic gives.

    Attributes:
        lacking: Which rows are missing or useless, one sentence each; empty for what is complete.
        confidence: Of each interval by itself.
    """

    parts: tuple[Part, ...]
    lacking: tuple[str, ...] = ()
    confidence: float = CONFIDENCE


def exact(value: float) -> Found:
    """A number without error."""
    point = Interval(value, value)
    return Found((Part("", value, point, point),))


def estimated(
    label: str,
    differences: Sequence[float],
    *,
    parts: int,
    basis: str = "",
    is_biased: bool = False,
    confidence: float = CONFIDENCE,
) -> Part:
    """The mean of paired differences, one of `parts`; a biased choice of pairs has no interval."""
    if not differences:
        return Part(label, None, NOWHERE_KNOWN, NOWHERE_KNOWN)
    mean = sum(differences) / len(differences)
    if is_biased:
        return Part(label, mean, NOWHERE_KNOWN, NOWHERE_KNOWN, len(differences), basis)
    alone = mean_interval(differences, confidence)
    joint = mean_interval(differences, 1 - (1 - confidence) / parts)
    return Part(label, mean, alone, joint, len(differences), basis)


def together(found: Sequence[Found]) -> Found:
    """Several findings as one, of which a claim says the same."""
    parts = tuple(part for one in found for part in one.parts)
    lacking = dict.fromkeys(words for one in found for words in one.lacking)
    return Found(parts, tuple(lacking))


def transformed(part: Part, function: Callable[[float], float]) -> Part:
    """The same on another scale, by an increasing function that takes infinities."""
    if part.value is None:
        return part
    alone, joint = (Interval(*map(function, ends)) for ends in (part.interval, part.joint))
    return replace(part, value=function(part.value), interval=alone, joint=joint)

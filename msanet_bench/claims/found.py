"""What a statistic found: one number or several, each with what is known of its error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
        seeds: How many paired differences there are; 0 for what is exact.
    """

    label: str
    value: float | None
    interval: Interval
    joint: Interval
    seeds: int = 0

    @property
    def is_exact(self) -> bool:
        return self.value is not None and self.interval.low == self.interval.high


@dataclass(frozen=True, slots=True)
class Found:
    """What a claim's statistic gives.

    Attributes:
        lacking: Which rows are missing or useless, one sentence each; empty for what is complete.
        basis: What the number rests on, for readers: `5 seeds`, `32 settings of the others`.
        confidence: Of each interval by itself.
    """

    parts: tuple[Part, ...]
    lacking: tuple[str, ...] = ()
    basis: str = ""
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
    is_biased: bool = False,
    confidence: float = CONFIDENCE,
) -> Part:
    """The mean of paired differences, one of `parts`; a biased choice of pairs has no interval."""
    if not differences:
        return Part(label, None, NOWHERE_KNOWN, NOWHERE_KNOWN)
    mean = sum(differences) / len(differences)
    if is_biased:
        return Part(label, mean, NOWHERE_KNOWN, NOWHERE_KNOWN, len(differences))
    alone = mean_interval(differences, confidence)
    together = mean_interval(differences, 1 - (1 - confidence) / parts)
    return Part(label, mean, alone, together, len(differences))


def together(found: Sequence[Found]) -> Found:
    """Several findings as one, of which a claim says the same."""
    parts = tuple(part for one in found for part in one.parts)
    lacking = dict.fromkeys(words for one in found for words in one.lacking)
    bases = dict.fromkeys(one.basis for one in found if one.basis)
    return Found(parts, tuple(lacking), "; ".join(bases))


def transformed(part: Part, function: Callable[[float], float]) -> Part:
    """The same on another scale, by an increasing function that takes infinities."""
    if part.value is None:
        return part
    alone, together = (Interval(*map(function, ends)) for ends in (part.interval, part.joint))
    return Part(part.label, function(part.value), alone, together, part.seeds)

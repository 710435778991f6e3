"""What a contrast means at the smallest difference that matters: a fixed vocabulary, computed.

Holm keeps the chance of any false `helps` in a family below alpha; two one-sided tests (Schuirmann 1987) show
that an effect is too small to matter. What neither shows is unresolved, which is not the same as nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from scipy.special import stdtr

from msanet_bench.analysis.contrasts import Contrast, t_interval

Word: TypeAlias = Literal[
    "HELPS", "HURTS", "helps", "hurts", "negligible", "NO MATERIAL EFFECT", "UNRESOLVED"
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one contrast of a family means.

    Attributes:
        p: Two-sided, adjusted for the family after Holm; NaN without degrees of freedom.
        p_equivalence: Of the two one-sided tests that the effect is within delta; not adjusted.
        word: `HELPS` and `HURTS` are beyond delta, `helps` and `hurts` of uncertain size, `negligible` is
            real and within delta, `NO MATERIAL EFFECT` within delta and perhaps none.
    """

    p: float
    p_equivalence: float
    word: Word

    @property
    def is_resolved(self) -> bool:
        return self.word != "UNRESOLVED"


def judge(contrasts: Sequence[Contrast], delta: float, *, alpha: float = 0.05) -> tuple[Verdict, ...]:
    """The verdicts of one family of contrasts, better being up.

    Args:
        contrasts: All that the family asks, whatever comes out.
        delta: The smallest difference that matters, positive, in the contrasts' unit.
        alpha: The family's chance of a false claim; divided by the number of looks at growing data.
    """
    adjusted = holm([p_value(contrast) for contrast in contrasts])
    return tuple(_verdict(contrast, p, delta, alpha) for contrast, p in zip(contrasts, adjusted, strict=True))


def p_value(contrast: Contrast) -> float:
    """Two-sided, of Student's t; NaN without degrees of freedom."""
    return 2 * _tail(-abs(contrast.estimate), contrast)


def equivalence_p(contrast: Contrast, delta: float) -> float:
    """The larger p of the two one-sided tests that the effect lies above -delta and below delta."""
    return max(
        _tail(-contrast.estimate - delta, contrast),
        _tail(contrast.estimate - delta, contrast),
    )


def holm(p: Sequence[float]) -> list[float]:
    """The p-values adjusted after Holm (1979): the k-th smallest times how many are left, never decreasing.

    A p that is NaN stays so and counts for nothing.
    """
    adjusted = [math.nan] * len(p)
    order = sorted((index for index, value in enumerate(p) if not math.isnan(value)), key=lambda i: p[i])
    largest = 0.0
    for done, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - done) * p[index]))
        adjusted[index] = largest
    return adjusted


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """The p-values adjusted for the share of false discoveries after Benjamini and Hochberg (1995)."""
    adjusted = [math.nan] * len(p)
    order = sorted((index for index, value in enumerate(p) if not math.isnan(value)), key=lambda i: p[i])
    smallest = 1.0
    for rank, index in reversed(list(enumerate(order, start=1))):
        smallest = min(smallest, len(order) / rank * p[index])
        adjusted[index] = smallest
    return adjusted


def _verdict(contrast: Contrast, p: float, delta: float, alpha: float) -> Verdict:
    p_equivalence = equivalence_p(contrast, delta)
    return Verdict(p, p_equivalence, _word(contrast, p < alpha, p_equivalence < alpha, delta, alpha))


def _word(contrast: Contrast, is_real: bool, is_small: bool, delta: float, alpha: float) -> Word:  # noqa: FBT001
    if not is_real:
        return "NO MATERIAL EFFECT" if is_small else "UNRESOLVED"
    if is_small:
        return "negligible"
    interval = t_interval(contrast.estimate, contrast.se, contrast.df, confidence=1 - alpha)
    if contrast.estimate > 0:
        return "HELPS" if interval.low > delta else "helps"
    return "HURTS" if interval.high < -delta else "hurts"


def _tail(distance: float, contrast: Contrast) -> float:
    """The chance of a t at or below `distance` standard errors; exact where there is no error at all."""
    if contrast.se == 0:
        return 0.5 if distance == 0 else float(distance > 0)
    return float(stdtr(contrast.df, distance / contrast.se)) if contrast.df > 0 else math.nan

"""A table under the block model, and what a family of contrasts of it says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Literal, NamedTuple, TypeAlias

from msanet_bench.analysis.contrasts import BlockFit, Contrast, NotEstimableError, contrast, fit_blocks
from msanet_bench.analysis.power import Design, seeds_needed, smallest_detectable
from msanet_bench.analysis.verdicts import Verdict, benjamini_hochberg, holm, judge, p_value
from msanet_bench.analysis.weights import Weights
from msanet_bench.analyze.question import Question
from msanet_bench.analyze.trials import Trials

# What three factors do together is looked at, not judged.
HIGHEST_JUDGED = 2
NUMBERS = {2: "two", 3: "three", 4: "four"}

Adjustment: TypeAlias = Literal["Holm", "Benjamini-Hochberg"]


class Draft(NamedTuple):
    """A contrast to be estimated: over how many matched groups, or why there is none."""

    label: str
    weights: Weights | None
    groups: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """What one contrast says.

    Attributes:
        groups: Over how many matched groups of cells it is a mean.
        contrast: None where it cannot be estimated, for this `reason`.
        p: Two-sided, adjusted for the family; NaN without degrees of freedom.
        verdict: None where no smallest difference was named, or for what is only explored.
        detectable: The effect that would be found four times in five; NaN without degrees of freedom.
        more: How many further repetitions would resolve it; None if it is resolved, or a thousand would not.
    """

    label: str
    groups: int
    contrast: Contrast | None
    reason: str
    p: float
    verdict: Verdict | None
    detectable: float
    more: int | None


@dataclass(frozen=True, slots=True)
class Family:
    """Contrasts that are judged together; `groups` is what each is a mean over."""

    title: str
    groups: str
    adjustment: Adjustment
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The rows of a table and their block model."""

    trials: Trials
    question: Question
    fit: BlockFit

    @property
    def has_error(self) -> bool:
        """Whether something is repeated, so that chance has a size."""
        return self.fit.df > 0

    @property
    def repetitions(self) -> int:
        """How many blocks there are, or rows of a cell on average."""
        if self.question.block:
            return len(self.fit.blocks)
        return max(1, len(self.trials.values) // len(self.fit.place))

    def estimate(self, weights: Weights) -> Contrast:
        """With an interval at 1 - alpha.

        Raises:
            NotEstimableError: the blocks that are there cannot tell it.
        """
        return contrast(self.fit, weights, confidence=1 - self.question.alpha)

    def more(self, found: Contrast, delta: float) -> int | None:
        """How many further repetitions would resolve a contrast."""
        cells = len(self.fit.place)
        per_repetition = cells - 1 if self.question.block else cells
        design = Design(found.se, found.df, self.repetitions, per_repetition)
        return seeds_needed(design, delta, alpha=self.question.alpha)


def fit_trials(trials: Trials, question: Question) -> Fitted:
    return Fitted(trials, question, fit_blocks(trials.variant, trials.block, trials.values))


def family(
    title: str, groups: str, drafts: Sequence[Draft], fitted: Fitted, *, is_explored: bool = False
) -> Family:
    """Every draft estimated; those of a family are adjusted and judged together."""
    rows = [_estimated(draft, fitted) for draft in drafts]
    known = [row.contrast for row in rows if row.contrast is not None]
    adjust = benjamini_hochberg if is_explored else holm
    p = iter(adjust([p_value(one) for one in known]))
    verdicts = iter(_verdicts(known, fitted.question, is_explored=is_explored))
    judged = tuple(
        row if row.contrast is None else _judged(row, row.contrast, next(p), next(verdicts), fitted)
        for row in rows
    )
    return Family(title, groups, "Benjamini-Hochberg" if is_explored else "Holm", judged)


def _estimated(draft: Draft, fitted: Fitted) -> Row:
    found, reason = None, draft.reason
    if draft.weights is not None:
        try:
            found = fitted.estimate(draft.weights)
        except NotEstimableError:
            reason = f"cannot be told from the differences between {fitted.question.repetition}"
    return Row(draft.label, draft.groups, found, reason, p=nan, verdict=None, detectable=nan, more=None)


def _verdicts(
    known: Sequence[Contrast], question: Question, *, is_explored: bool
) -> tuple[Verdict, ...] | list[None]:
    if question.delta is None or is_explored:
        return [None] * len(known)
    up = [_negated(one) if question.lower_is_better else one for one in known]
    return judge(up, question.delta, alpha=question.alpha)


def _negated(one: Contrast) -> Contrast:
    return replace(one, estimate=-one.estimate, low=-one.high, high=-one.low)


def _judged(row: Row, found: Contrast, p: float, verdict: Verdict | None, fitted: Fitted) -> Row:
    delta, alpha = fitted.question.delta, fitted.question.alpha
    is_open = verdict is not None and not verdict.is_resolved
    return replace(
        row,
        p=p,
        verdict=verdict,
        detectable=smallest_detectable(found.se, found.df, alpha=alpha),
        more=fitted.more(found, delta) if is_open and delta is not None else None,
    )

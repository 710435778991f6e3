"""What only tables of two-level factors answer: credit, fractions with their aliases, and no repetition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from msanet_bench.analysis.contrasts import Contrast, NotEstimableError
from msanet_bench.analysis.credit import MOST_COMPONENTS, attributions, whole
from msanet_bench.analysis.factorial import (
    MOST_WEIGHTS,
    NotBalancedError,
    SignContrast,
    Signs,
    Term,
    sign_contrasts,
)
from msanet_bench.analysis.lenth import Lenth, lenth
from msanet_bench.analysis.weights import Weights
from msanet_bench.analyze.fitted import HIGHEST_JUDGED, NUMBERS, Draft, Family, Fitted, family
from msanet_bench.analyze.trials import Trials

# Aliases of higher orders are many, and nobody reads them as the explanation.
_HIGHEST_ALIAS = 3


@dataclass(frozen=True, slots=True)
class Share:
    """What one component is worth by four rules; `present` against `absent`."""

    component: str
    present: str
    absent: str
    removed: Contrast
    added: Contrast
    main: Contrast
    shapley: Contrast


@dataclass(frozen=True, slots=True)
class Credit:
    """Everything against nothing, and what each component earns of it."""

    whole: Contrast
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Screening:
    """All that an unreplicated two-level design can tell, and what an effect of nothing would look like."""

    effects: tuple[tuple[str, float], ...]
    margins: Lenth | None


def credit(fitted: Fitted) -> Credit | str:
    """Of a whole two-level factorial; of another design why there is none, or nothing if nobody asks."""
    trials = fitted.trials
    factors = len(trials.factors)
    if not trials.is_two_level or factors == 1:
        return ""
    if factors > MOST_COMPONENTS:
        return f"there are more than {MOST_COMPONENTS} factors"
    if len(trials.tried) < 2**factors:
        return f"it needs all {2**factors} combinations, and {len(trials.tried)} have a value"
    try:
        return _whole_credit(fitted)
    except NotEstimableError:
        return f"single cells cannot be told from the differences between {fitted.question.repetition}"


def _whole_credit(fitted: Fitted) -> Credit:
    trials = fitted.trials
    present = {factor.name: factor.present[0] for factor in trials.factors}
    variant_of = {
        frozenset(name for name, level in levels.items() if level == present[name]): variant
        for variant, levels in trials.tried.items()
    }
    absent = {factor.name: factor.present[1] for factor in trials.factors}
    shares = [
        Share(
            component=found.component,
            present=present[found.component],
            absent=absent[found.component],
            removed=_estimate(fitted, found.removed),
            added=_estimate(fitted, found.added),
            main=_estimate(fitted, found.main),
            shapley=_estimate(fitted, found.shapley),
        )
        for found in attributions(list(present), variant_of)
    ]
    return Credit(_estimate(fitted, whole(list(present), variant_of)), tuple(shares))


def fraction(fitted: Fitted) -> tuple[Family, ...] | str:
    """The contrasts of signs of a fraction, each with its aliases, by order; or why there are none."""
    try:
        contrasts = sign_contrasts(_signs(fitted.trials))
    except NotBalancedError as error:
        return f"{error}, so no fraction of a factorial can be read from it"
    by_order = groupby(contrasts, key=lambda one: len(one.terms[0].factors))
    return tuple(
        _aliased(order, list(some), fitted) for order, some in by_order if order <= fitted.question.order
    )


def _aliased(order: int, some: Sequence[SignContrast], fitted: Fitted) -> Family:
    drafts = [Draft(alias_of(one), one.weights, len(one.weights) // 2, "") for one in some]
    title = "Main effects" if order == 1 else f"Interactions of {NUMBERS.get(order, order)} factors"
    is_explored = order > HIGHEST_JUDGED
    return family(f"{title} and their aliases", "cells a side", drafts, fitted, is_explored=is_explored)


def can_be_read_by_signs(trials: Trials) -> bool:
    """Whether it is of two-level factors alone, and of no more cells and effects than a million weights."""
    factors = len(trials.factors)
    return trials.is_two_level and factors > 1 and 2**factors * len(trials.tried) <= MOST_WEIGHTS


def screen(fitted: Fitted) -> Screening | None:
    """Effects without an error, of a whole factorial or a balanced fraction; None of any other design."""
    if not can_be_read_by_signs(fitted.trials):
        return None
    try:
        contrasts = sign_contrasts(_signs(fitted.trials))
        effects = tuple((alias_of(one), fitted.estimate(one.weights).estimate) for one in contrasts)
    except (NotBalancedError, NotEstimableError):
        return None
    return Screening(effects, lenth([effect for _, effect in effects], alpha=fitted.question.alpha))


def alias_of(one: SignContrast) -> str:
    """`A + B x C x D`: what a contrast estimates, without terms of more than three factors."""
    first, *others = one.terms
    shown = [term for term in others if len(term.factors) <= _HIGHEST_ALIAS]
    return _term(first) + "".join(f" {'+' if term.sign > 0 else '-'} {_term(term)}" for term in shown)


def _term(term: Term) -> str:
    return " x ".join(term.factors)


def _signs(trials: Trials) -> Mapping[str, Signs]:
    """The second level of each factor is its high one."""
    high = {factor.name: factor.levels[1] for factor in trials.factors}
    return {
        variant: {name: 1 if level == high[name] else -1 for name, level in levels.items()}
        for variant, levels in trials.tried.items()
    }


def _estimate(fitted: Fitted, weights: Weights | None) -> Contrast:
    if weights is None:
        raise NotEstimableError("a combination is missing.")
    return fitted.estimate(weights)

"""What each factor changes, averaged over everything else that was varied, and what two do together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from msanet_bench.analysis.weights import (
    Change,
    Combination,
    Levels,
    Weights,
    interaction,
    matched_pairs,
    trend,
    weights_main_effect,
)
from msanet_bench.report.costs import CostChange, Costs, change
from msanet_bench.report.evidence import Claim, Evidence, claims
from msanet_bench.report.manifest import Manifest

# Levels that leave a part out: what is told is what having the part is worth.
ABSENT_LEVELS = frozenset({"off", "none"})

_TRENDS = {1: "linear trend", 2: "quadratic trend"}
_LEAST_LEVELS_OF_A_TREND = 3


@dataclass(frozen=True, slots=True)
class Effect:
    """What a level of a factor changes against another, over matched pairs of variants.

    Attributes:
        level: What is worth `claim.here.estimate` more than `reference`; of a trend its name.
        reference: The other level; of a trend the levels it runs over.
        pairs: Matched pairs with results on both sides; groups, of a trend. `planned_pairs` are the plan's.
    """

    factor: str
    level: str
    reference: str
    is_trend: bool
    pairs: int
    planned_pairs: int
    claim: Claim | None
    costs: CostChange | None


@dataclass(frozen=True, slots=True)
class Interaction:
    """Half of what the first effect grows when the second change is made too, over matched squares."""

    first: Effect
    second: Effect
    squares: int
    claim: Claim


@dataclass(frozen=True, slots=True)
class _Question:
    """An effect before it is estimated."""

    factor: str
    level: str
    reference: str
    is_trend: bool
    weights: Weights | None
    pairs: int
    planned_pairs: int


def find_effects(manifest: Manifest, evidence: Evidence | None, costs: Costs) -> tuple[Effect, ...]:
    """The effects of each factor, in declared order: one family.

    A level is compared with the factor's first one. Of at least three numeric levels, it is their trends.
    """
    measured = _measured(manifest, evidence)
    asked = [question for factor in manifest.factors for question in _questions(manifest, measured, factor)]
    answers = claims(
        evidence, (question.weights for question in asked), is_declared="main_effects" in manifest.families
    )
    return tuple(
        Effect(
            factor=question.factor,
            level=question.level,
            reference=question.reference,
            is_trend=question.is_trend,
            pairs=question.pairs,
            planned_pairs=question.planned_pairs,
            claim=claim,
            costs=change(costs, question.weights),
        )
        for question, claim in zip(asked, answers, strict=True)
    )


def find_interactions(
    manifest: Manifest, evidence: Evidence | None, effects: Sequence[Effect]
) -> tuple[Interaction, ...]:
    """The interaction of every two effects of different factors whose squares are there: one family."""
    measured = _measured(manifest, evidence)
    single = [effect for effect in effects if not effect.is_trend]
    found = [
        (first, second, squares)
        for first, second in combinations(single, 2)
        if first.factor != second.factor and (squares := _squares(manifest, measured, first, second))
    ]
    answers = claims(
        evidence,
        (squares.weights for _, _, squares in found),
        is_declared="interactions" in manifest.families,
    )
    return tuple(
        Interaction(first, second, squares.groups, claim)
        for (first, second, squares), claim in zip(found, answers, strict=True)
        if claim is not None
    )


def nested(manifest: Manifest, factor: str) -> set[str]:
    """The factors that apply only at some levels of this one, directly or through others."""
    found = {factor}
    while True:
        more = {
            path
            for path, other in manifest.factors.items()
            if other.needs & found or any(path.startswith(f"{parent}.") for parent in found)
        }
        if more <= found:
            return found - {factor}
        found |= more


def levels_of(manifest: Manifest, factor: str) -> list[str]:
    """The levels in declared order; the baseline's level comes first where it is not declared."""
    declared = manifest.factors[factor].levels
    own = manifest.of(manifest.baseline).factors.get(factor)
    return [*([own] if own is not None and own not in declared else []), *declared]


def _measured(manifest: Manifest, evidence: Evidence | None) -> Mapping[str, Levels]:
    names = set(evidence.fit.place) if evidence is not None else set()
    return {variant.name: variant.factors for variant in manifest.variants if variant.name in names}


def _questions(manifest: Manifest, measured: Mapping[str, Levels], factor: str) -> list[_Question]:
    levels = levels_of(manifest, factor)
    trends = list(_trends(manifest, measured, factor, levels))
    if trends:
        return [*_presence(manifest, measured, factor, levels), *trends]
    reference, *others = levels
    return [_question(manifest, measured, factor, *_oriented(level, reference)) for level in others]


def _oriented(level: str, reference: str) -> tuple[str, str]:
    return (reference, level) if level in ABSENT_LEVELS else (level, reference)


def _question(
    manifest: Manifest, measured: Mapping[str, Levels], factor: str, level: str, reference: str
) -> _Question:
    plan = {variant.name: variant.factors for variant in manifest.variants}
    below = nested(manifest, factor)
    planned = matched_pairs(plan, factor, level=level, reference=reference, nested=below)
    pairs = matched_pairs(measured, factor, level=level, reference=reference, nested=below)
    weights = weights_main_effect(pairs)
    return _Question(factor, level, reference, False, weights, len(pairs), len(planned))  # noqa: FBT003


def _presence(
    manifest: Manifest, measured: Mapping[str, Levels], factor: str, levels: Sequence[str]
) -> Iterator[_Question]:
    """What any of the numeric levels is worth, on average, against the one that leaves the part out."""
    plan = {variant.name: variant.factors for variant in manifest.variants}
    positions = list(_positions([level for level in levels if level not in ABSENT_LEVELS]))
    for absent in (level for level in levels if level in ABSENT_LEVELS):
        planned, pairs = (
            [
                pair
                for level in positions
                for pair in matched_pairs(
                    variants, factor, level=level, reference=absent, nested=nested(manifest, factor)
                )
            ]
            for variants in (plan, measured)
        )
        yield _Question(
            factor=factor,
            level=_range(positions),
            reference=absent,
            is_trend=False,
            weights=weights_main_effect(pairs),
            pairs=len(pairs),
            planned_pairs=len(planned),
        )


def _range(positions: Sequence[str]) -> str:
    return f"{positions[0]} to {positions[-1]}"


def _trends(
    manifest: Manifest, measured: Mapping[str, Levels], factor: str, levels: Sequence[str]
) -> Iterator[_Question]:
    positions = _positions([level for level in levels if level not in ABSENT_LEVELS])
    if len(positions) < _LEAST_LEVELS_OF_A_TREND:
        return
    plan = {variant.name: variant.factors for variant in manifest.variants}
    for degree, name in _TRENDS.items():
        planned = trend(plan, factor, positions, degree)
        found = trend(measured, factor, positions, degree)
        if planned is not None:
            yield _Question(
                factor=factor,
                level=name,
                reference=_range(list(positions)),
                is_trend=True,
                weights=found.weights if found else None,
                pairs=found.groups if found else 0,
                planned_pairs=planned.groups,
            )


def _positions(levels: Sequence[str]) -> Mapping[str, float]:
    """Numeric levels, lowest first; none where one is no number."""
    try:
        numbers = {level: float(level) for level in levels}
    except ValueError:
        return {}
    return dict(sorted(numbers.items(), key=lambda item: item[1]))


def _squares(
    manifest: Manifest, measured: Mapping[str, Levels], first: Effect, second: Effect
) -> Combination | None:
    changes = [Change(effect.factor, effect.level, effect.reference) for effect in (first, second)]
    below = nested(manifest, first.factor) | nested(manifest, second.factor)
    return interaction(measured, *changes, nested=below)

"""Weights of contrasts: which cell means an effect adds and subtracts."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Levels = Mapping[str, Any]
Weights: TypeAlias = dict[str, float]
_ROUNDING = 1e-12
_Key: TypeAlias = frozenset[tuple[str, Any]]


class Change(NamedTuple):
    """A factor at one level instead of another."""

    factor: str
    level: Any
    reference: Any


@dataclass(frozen=True, slots=True)
class Combination:
    """Weights, and over how many matched groups of variants they are a mean."""

    weights: Weights
    groups: int


def weights_difference(variant: str, baseline: str) -> Weights:
    """One variant against another."""
    return {variant: 1.0, baseline: -1.0}


def weights_main_effect(pairs: Sequence[tuple[str, str]]) -> Weights | None:
    """The mean difference over (without, with) pairs of variants; None when there is no pair."""
    return _mean([weights_difference(changed, kept) for kept, changed in pairs]) if pairs else None


def matched_pairs(
    variants: Mapping[str, Levels],
    factor: str,
    *,
    level: object,
    reference: object,
    nested: Collection[str] = (),
) -> list[tuple[str, str]]:
    """The pairs (at the reference, at the level) that agree in every other factor.

    Args:
        variants: The levels of each variant by factor; a factor that does not apply is missing.
        factor: The one that may differ within a pair.
        level: Its level in the second variant of a pair.
        reference: Its level in the first.
        nested: Factors that apply only at some levels of `factor`: where one side lacks them, the other
            may have any level, so that "on" is the mean over everything that "on" allows.
    """
    groups = _grouped(variants, {factor, *nested})
    return [
        (kept, changed)
        for names in groups.values()
        for kept in names
        if _at(variants[kept], factor, reference)
        for changed in names
        if _at(variants[changed], factor, level)
        and _agree(variants[kept], variants[changed], factor, frozenset(nested))
    ]


def interaction(
    variants: Mapping[str, Levels],
    first: Change,
    second: Change,
    *,
    nested: Collection[str] = (),
) -> Combination | None:
    """Half of what the first change does more when the second is made too, over matched squares of variants.

    Half, as main effects of a two-level factorial are (Box, Hunter and Hunter 2005, section 5.6). Where a
    corner of a square allows nested factors, it is the mean over their levels. None without a square.
    """
    free = {first.factor, second.factor, *nested}
    squares = []
    for names in _grouped(variants, free).values():
        corners = [
            [n for n in names if _at(variants[n], first.factor, a) and _at(variants[n], second.factor, b)]
            for a in (first.level, first.reference)
            for b in (second.level, second.reference)
        ]
        if all(corners):
            signed = zip(corners, (0.5, -0.5, -0.5, 0.5), strict=True)
            squares.append({name: sign / len(corner) for corner, sign in signed for name in corner})
    return _combination(squares)


def trend(
    variants: Mapping[str, Levels], factor: str, positions: Mapping[Any, float], degree: int
) -> Combination | None:
    """The linear (1), quadratic (2), ... trend among numeric levels, over groups that have all of them.

    Orthogonal polynomials over the levels' positions. The linear trend is the change of the fitted line from
    the lowest to the highest level; of the others the positive weights of a group add up to 1, so that the
    quadratic one of three equal steps is the mean of the ends less the middle. None without a group.
    """
    at = np.array(list(positions.values()))
    # centred, or powers of numbers such as 2024, 2025 could not be told apart
    powers = np.vander((at - at.mean()) / np.ptp(at), degree + 1, increasing=True)
    orthogonal, triangle = np.linalg.qr(powers)
    polynomial = orthogonal[:, degree] * np.sign(triangle[degree, degree])
    unit = polynomial @ powers[:, 1] if degree == 1 else polynomial[polynomial > 0].sum()
    scaled = polynomial / unit
    # what weighs nothing is no part of the contrast, whatever the factorisation leaves of it
    scaled[np.abs(scaled) < _ROUNDING] = 0.0
    groups = []
    for names in _grouped(variants, {factor}).values():
        found = {variants[name][factor]: name for name in names if factor in variants[name]}
        if positions.keys() <= found.keys():
            groups.append({found[level]: float(w) for level, w in zip(positions, scaled, strict=True)})
    return _combination(groups)


def same_level(first: object, second: object) -> bool:
    """Equal in value and in type: YAML's 1, 1.0 and true are three levels."""
    return type(first) is type(second) and first == second


def _combination(groups: Sequence[Weights]) -> Combination | None:
    return Combination(_mean(groups), len(groups)) if groups else None


def _mean(parts: Sequence[Mapping[str, float]]) -> Weights:
    total: dict[str, float] = defaultdict(float)
    for part in parts:
        for name, weight in part.items():
            total[name] += weight
    return {name: weight / len(parts) for name, weight in total.items()}


def _grouped(variants: Mapping[str, Levels], without: Collection[str]) -> Mapping[_Key, list[str]]:
    """The variants that agree in every factor but these."""
    groups: dict[_Key, list[str]] = defaultdict(list)
    for name, levels in variants.items():
        groups[_key(levels, without)].append(name)
    return groups


def _key(levels: Levels, without: Collection[str]) -> _Key:
    return frozenset(
        # most levels are texts, and of very many variants the quick way counts
        (factor, level if type(level) is str else (type(level), repr(level)))
        for factor, level in levels.items()
        if factor not in without
    )


def _at(levels: Levels, factor: str, level: object) -> bool:
    return factor in levels and same_level(levels[factor], level)


def _agree(first: Levels, second: Levels, factor: str, nested: frozenset[str]) -> bool:
    """Of what is nested, both agree in what both have."""
    shared = (nested - {factor}) & first.keys() & second.keys()
    return all(same_level(first[name], second[name]) for name in shared)

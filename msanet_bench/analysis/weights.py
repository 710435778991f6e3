"""Weights of contrasts: which cell means an effect adds and subtracts."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

Levels = Mapping[str, Any]


def weights_difference(variant: str, baseline: str) -> dict[str, float]:
    """One variant against another."""
    return {variant: 1.0, baseline: -1.0}


def weights_main_effect(pairs: Sequence[tuple[str, str]]) -> dict[str, float] | None:
    """The mean difference over (without, with) pairs of variants; None when there is no pair."""
    if not pairs:
        return None
    plus, minus = Counter(changed for _, changed in pairs), Counter(kept for kept, _ in pairs)
    names = dict.fromkeys(name for pair in pairs for name in pair)
    return {name: (plus[name] - minus[name]) / len(pairs) for name in names}


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
    at_reference = [name for name, levels in variants.items() if _at(levels, factor, reference)]
    at_level = [name for name, levels in variants.items() if _at(levels, factor, level)]
    free = frozenset(nested)
    return [
        (kept, changed)
        for kept in at_reference
        for changed in at_level
        if _agree(variants[kept], variants[changed], factor, free)
    ]


def _at(levels: Levels, factor: str, level: object) -> bool:
    return factor in levels and same_level(levels[factor], level)


def same_level(first: object, second: object) -> bool:
    """Equal in value and in type: YAML's 1, 1.0 and true are three levels."""
    return type(first) is type(second) and first == second


def _agree(first: Levels, second: Levels, factor: str, nested: frozenset[str]) -> bool:
    one_sided = first.keys() ^ second.keys()
    both = (first.keys() & second.keys()) - {factor}
    return one_sided <= nested and all(same_level(first[name], second[name]) for name in both)

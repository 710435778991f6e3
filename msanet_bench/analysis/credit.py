"""Who earned the difference between the network with nothing and the one with everything.

Four attributions of the same cell means. Removing a part from the full network and adding it to the empty
one are the two ends; the main effect is the mean over all networks (Banzhaf 1965); the Shapley value (1953)
weighs coalitions by their size, and it alone adds up to the whole difference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import TypeAlias

from msanet_bench.analysis.weights import Weights, weights_difference, weights_main_effect

Coalition: TypeAlias = frozenset[str]

# 2^12 networks are more than anybody trains; beyond it nothing here is meant to be fast.
MOST_COMPONENTS = 12


@dataclass(frozen=True, slots=True)
class Attribution:
    """The weights of one component's worth; None where a variant that it takes is not there."""

    component: str
    removed: Weights | None
    added: Weights | None
    main: Weights | None
    shapley: Weights | None


def attributions(components: Sequence[str], variant_of: Mapping[Coalition, str]) -> tuple[Attribution, ...]:
    """What each component is worth, by four rules.

    Args:
        components: At most twelve names.
        variant_of: Which variant has just these components; a coalition without one is missing.
    """
    return tuple(_attribution(component, components, variant_of) for component in components)


def whole(components: Sequence[str], variant_of: Mapping[Coalition, str]) -> Weights | None:
    """The network with every component against the one with none."""
    full, empty = variant_of.get(frozenset(components)), variant_of.get(frozenset())
    return None if full is None or empty is None else weights_difference(full, empty)


def _attribution(
    component: str, components: Sequence[str], variant_of: Mapping[Coalition, str]
) -> Attribution:
    full = frozenset(components)
    pairs = {without: _pair(without, component, variant_of) for without in _coalitions(full - {component})}
    known = {without: pair for without, pair in pairs.items() if pair is not None}
    return Attribution(
        component=component,
        removed=_difference(known.get(full - {component})),
        added=_difference(known.get(frozenset())),
        main=weights_main_effect(list(known.values())),
        shapley=_shapley(known, len(components)) if len(known) == len(pairs) else None,
    )


def _pair(without: Coalition, component: str, variant_of: Mapping[Coalition, str]) -> tuple[str, str] | None:
    kept, changed = variant_of.get(without), variant_of.get(without | {component})
    return None if kept is None or changed is None else (kept, changed)


def _difference(pair: tuple[str, str] | None) -> Weights | None:
    return None if pair is None else weights_difference(pair[1], pair[0])


def _shapley(pairs: Mapping[Coalition, tuple[str, str]], k: int) -> Weights:
    weights: Weights = {}
    for without, (kept, changed) in pairs.items():
        r = len(without)
        share = factorial(r) * factorial(k - r - 1) / factorial(k)
        weights[changed] = weights.get(changed, 0.0) + share
        weights[kept] = weights.get(kept, 0.0) - share
    return weights


def _coalitions(components: Coalition) -> Iterator[Coalition]:
    """Every subset, smaller ones first among those of one component more."""
    found: list[Coalition] = [frozenset()]
    for component in sorted(components):
        found += [coalition | {component} for coalition in found]
    yield from found

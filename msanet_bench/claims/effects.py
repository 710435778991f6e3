"""What a factor is worth, and what two are worth together, over paired seeds of a factorial design.

A setting is one combination of the levels of all factors that are not looked at. A factor's own options
(`branches.dilated.dilation` of `branches.dilated`) are no part of it: over these, the mean is taken.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from math import prod
from statistics import fmean
from typing import TypeAlias

from msanet_bench.claims.found import Found, estimated, together
from msanet_bench.claims.pairs import broken_words, counted, seed_of
from msanet_bench.claims.rows import Pair, Row

# two levels by factor, the first one being what is there
Factors: TypeAlias = Mapping[str, Sequence[str]]
# the levels of the factors that are looked at, in their order
Corner: TypeAlias = tuple[str, ...]
Cells: TypeAlias = Mapping[Corner, Sequence[Row]]


def main_effect(rows: Sequence[Row], factors: Factors) -> Found:
    """The first level of a factor minus its second, as a mean over all settings."""
    return _effect(rows, factors, parts=1)


def interaction(rows: Sequence[Row], factors: Factors) -> Found:
    """How much more a factor is worth beside the first level of another one than beside its second.

    (first, first) - (first, second) - (second, first) + (second, second), as a mean over all settings; the
    same whichever of the two is called the other one. Of more than two factors, each pair.
    """
    pairs = list(combinations(factors, 2))
    return together([_effect(rows, {name: factors[name] for name in two}, parts=len(pairs)) for two in pairs])


def _effect(rows: Sequence[Row], factors: Factors, *, parts: int) -> Found:
    label, signs = " x ".join(f"`{name}`" for name in factors), _signs(factors)
    settings = _settings(rows, factors, signs)
    whole = [cells for cells in settings if cells.keys() == signs.keys()]
    if not whole:
        return Found((estimated(label, (), parts=parts),), tuple(_absent(rows, factors, settings, signs)))
    used = [row for cells in whole for group in cells.values() for row in group]
    variants = {row.variant for row in used}
    present = {pair: {row.variant for row in used if row.pair == pair} for pair in _pairs(used)}
    complete = [pair for pair, names in present.items() if names == variants]
    broken = [row for row in used if row.pair in complete and row.accuracy is None]
    spoilt = {row.pair for row in broken}
    differences = [_contrast(whole, signs, pair) for pair in complete if pair not in spoilt]
    basis = f"{counted(len(differences), 'seed')}, {counted(len(whole), 'setting')} of the other factors"
    part = estimated(label, differences, parts=parts, basis=basis, is_biased=bool(broken))
    lacking = [
        f"{counted(len(variants - names), 'variant')} of {len(variants)} without {seed_of(pair)}"
        for pair, names in present.items()
        if names != variants
    ]
    return Found((part,), (*lacking, *broken_words(broken)))


def _signs(factors: Factors) -> dict[Corner, int]:
    """+1 for the first levels, and for every even number of second ones; else -1."""
    places = product((0, 1), repeat=len(factors))
    return {
        tuple(levels[place] for levels, place in zip(factors.values(), corner, strict=True)): prod(
            1 - 2 * place for place in corner
        )
        for corner in places
    }


def _settings(rows: Sequence[Row], factors: Factors, corners: Mapping[Corner, int]) -> list[Cells]:
    """The rows of each setting by corner; rows of other levels are left out."""
    found: dict[frozenset[tuple[str, str]], dict[Corner, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        corner = tuple(row.levels.get(name, "") for name in factors)
        if corner in corners:
            others = ((name, level) for name, level in row.levels.items() if not _belongs(name, factors))
            found[frozenset(others)][corner].append(row)
    return list(found.values())


def _belongs(name: str, factors: Factors) -> bool:
    return any(name == factor or name.startswith(f"{factor}.") for factor in factors)


def _pairs(rows: Sequence[Row]) -> list[Pair]:
    return list(dict.fromkeys(row.pair for row in rows))


def _contrast(settings: Sequence[Cells], signs: Mapping[Corner, int], pair: Pair) -> float:
    """The signed sum of the corners' mean accuracies with one seed, as a mean over the settings."""
    return fmean(
        sum(sign * fmean(_accuracies(cells[corner], pair)) for corner, sign in signs.items())
        for cells in settings
    )


def _accuracies(rows: Sequence[Row], pair: Pair) -> Iterator[float]:
    return (row.accuracy for row in rows if row.pair == pair and row.accuracy is not None)


def _absent(
    rows: Sequence[Row], factors: Factors, settings: Sequence[Cells], corners: Mapping[Corner, int]
) -> Iterator[str]:
    """What the fullest setting would need."""
    unknown = [name for name in factors if all(name not in row.levels for row in rows)]
    if unknown:
        yield from (f"no row has the factor `{name}`" for name in unknown)
        return
    fullest = max(settings, key=len, default={})
    for corner in corners:
        if corner not in fullest:
            levels = (f"{name}={level}" for name, level in zip(factors, corner, strict=True))
            yield f"no rows with {', '.join(levels)} beside the others"

"""Effects of two-level designs by the product of signs: whole factorials, and fractions with their aliases.

In a fraction some effects are estimated by the same contrast, so that only their sum can be told: `A + BCD`.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from msanet_bench.analysis.weights import Change, Combination, Weights

Factors: TypeAlias = tuple[str, ...]
Column: TypeAlias = NDArray[np.int8]
# The sign of each factor in a cell: 1 at its second level, -1 at its first.
Signs = Mapping[str, int]

# 1024 cells of ten factors, or fewer cells of more: a million weights.
MOST_WEIGHTS = 2**20

_ONE = np.ones((), dtype=np.int8)


class Term(NamedTuple):
    """A main effect or an interaction, and with which sign it enters a contrast."""

    factors: Factors
    sign: int


class SignContrast(NamedTuple):
    """The weights of a contrast, and what it estimates: the first term, plus or minus the others."""

    terms: tuple[Term, ...]
    weights: Weights


class NotBalancedError(ValueError):
    """The cells do not make the contrasts of signs independent of each other."""


def sign_contrasts(cells: Mapping[str, Signs]) -> tuple[SignContrast, ...]:
    """All that a two-level design can tell: one contrast for each set of effects that are told only together.

    The main effects come first, in the order of the factors, then what two of them do together, and so on. A
    whole factorial of k factors has 2^k - 1 contrasts of one term each. The weights are those of Box, Hunter
    and Hunter: the mean at one sign minus the mean at the other.

    Raises:
        NotBalancedError: a factor is not as often high as low, or two factors cannot be told apart.
    """
    factors = list(next(iter(cells.values())))
    columns = {name: np.array([signs[name] for signs in cells.values()], dtype=np.int8) for name in factors}
    _check_balanced(columns)
    found: dict[bytes, list[Term]] = {}
    for some in _subsets(factors):
        column = math.prod((columns[name] for name in some), start=_ONE)
        if abs(int(column.sum(dtype=np.int64))) == len(cells):
            continue  # defines the fraction: it is the mean itself
        sign = int(column[0])
        found.setdefault((sign * column).tobytes(), []).append(Term(some, sign))
    return tuple(_contrast(list(cells), column, terms) for column, terms in found.items())


def cube(variants: Mapping[str, Mapping[str, Hashable]], changes: Sequence[Change]) -> Combination | None:
    """What two-level changes do all together, over matched groups that have every combination of them.

    Of one change it is the main effect, of two the interaction; signs and size are those of Box, Hunter and
    Hunter: the product of signs over 2^(k - 1). None without a whole group.
    """
    free = {change.factor for change in changes}
    groups: dict[frozenset[tuple[str, Hashable]], dict[tuple[Hashable, ...], str]] = defaultdict(dict)
    for name, levels in variants.items():
        if free <= levels.keys():
            corner = tuple(levels[change.factor] for change in changes)
            groups[frozenset(levels.items() - {(f, levels[f]) for f in free})][corner] = name
    corners = {
        tuple(change.level if up else change.reference for change, up in zip(changes, choice, strict=True)): (
            math.prod(1 if up else -1 for up in choice) / 2 ** (len(changes) - 1)
        )
        for choice in product((True, False), repeat=len(changes))
    }
    whole = [group for group in groups.values() if corners.keys() <= group.keys()]
    if not whole:
        return None
    weights = {group[corner]: sign / len(whole) for group in whole for corner, sign in corners.items()}
    return Combination(weights, len(whole))


def _check_balanced(columns: Mapping[str, Column]) -> None:
    for name, column in columns.items():
        if int(column.sum(dtype=np.int64)):
            raise NotBalancedError(f"`{name}` is not in as many cells at one level as at the other")
    for first, second in combinations(columns, 2):
        product_of_both = columns[first] * columns[second]
        both, total = f"`{first}` and `{second}`", int(product_of_both.sum(dtype=np.int64))
        if abs(total) == len(product_of_both):
            raise NotBalancedError(f"{both} always change together")
        if total:
            raise NotBalancedError(f"the four combinations of {both} are not in equally many cells")


def _subsets(factors: Sequence[str]) -> Iterator[Factors]:
    for size in range(1, len(factors) + 1):
        yield from combinations(factors, size)


def _contrast(cells: Sequence[str], column: bytes, terms: Sequence[Term]) -> SignContrast:
    """Oriented so that the first term counts plus."""
    flip = terms[0].sign
    signs = np.frombuffer(column, dtype=np.int8).tolist()
    weights = {name: 2 * flip * one / len(cells) for name, one in zip(cells, signs, strict=True)}
    return SignContrast(tuple(Term(factors, sign * flip) for factors, sign in terms), weights)

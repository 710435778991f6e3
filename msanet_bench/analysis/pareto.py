"""How sure it is that a variant is best, or that no other is both better and cheaper: by a seeded draw."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from msanet_bench.analysis.contrasts import BlockFit

FloatArray = NDArray[np.float64]

_SEED = 0
_MOST_NUMBERS, _FEWEST, _MOST = 5_000_000, 500, 10_000


def num_draws(variants: int) -> int:
    """How often means are drawn: 10,000 times, of very many variants less often."""
    return max(_FEWEST, min(_MOST, _MOST_NUMBERS // max(variants, 1)))


def draw_means(fit: BlockFit) -> FloatArray:
    """Joint draws of all variants' means, shape (draws, variants), in the order of the fit.

    What moves all of them together is left out: it changes no rank. Student t, since the error is estimated.
    """
    source = np.random.default_rng(_SEED)
    draws, sizes = num_draws(len(fit.place)), fit.counts.sum(axis=1)
    if fit.df == 0:
        return np.tile(fit.means, (draws, 1))
    values, vectors = np.linalg.eigh(fit.inverse)
    # the symmetric root: eigenvectors of equal values differ from machine to machine, this does not
    spread = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    of_blocks = source.standard_normal((draws, len(fit.blocks))) @ spread
    own = source.standard_normal((draws, len(sizes))) / np.sqrt(sizes)
    shared = of_blocks @ (fit.counts / sizes[:, None]).T
    error = math.sqrt(fit.mean_square) * np.sqrt(fit.df / source.chisquare(fit.df, (draws, 1)))
    means: FloatArray = fit.means + (own - shared) * error
    return means


def draw_costs(estimates: Sequence[float], errors: Sequence[float], draws: int) -> FloatArray:
    """Draws of costs with standard errors, 0 where they are exact; shape (draws, variants)."""
    source = np.random.default_rng(_SEED + 1)
    noise = source.standard_normal((draws, len(estimates)))
    costs: FloatArray = np.asarray(estimates) + noise * np.asarray(errors)
    return costs


def probability_best(means: FloatArray) -> FloatArray:
    """How often each variant has the highest mean; ties are shared, shape (variants,)."""
    is_top = means == means.max(axis=1, keepdims=True)
    shares: FloatArray = is_top / is_top.sum(axis=1, keepdims=True)
    return np.asarray(shares.mean(axis=0))


def probability_on_front(means: FloatArray, costs: FloatArray) -> FloatArray:
    """How often no other variant is as good and as cheap, and better in one of the two; (variants,)."""
    fronts = [non_dominated(*pair) for pair in zip(means, costs, strict=True)]
    return np.asarray(np.mean(fronts, axis=0))


def on_front(points: Sequence[Sequence[float]], is_higher: Sequence[bool]) -> list[bool]:
    """Which points no other is as good as in every quantity and better than in one; any number of them."""
    signs = np.where(is_higher, 1.0, -1.0)
    goods = np.asarray(points, dtype=np.float64).reshape(len(points), len(signs)) * signs
    return [not ((goods >= good).all(axis=1) & (goods > good).any(axis=1)).any() for good in goods]


def non_dominated(means: FloatArray, costs: FloatArray) -> NDArray[np.bool_]:
    """Which variants stand on the front: means up, costs down; shape (variants,)."""
    order = np.lexsort((-means, costs))
    best_of_cheaper = np.maximum.accumulate(np.concatenate([[-np.inf], means[order]]))[:-1]
    sorted_means, sorted_costs = means[order], costs[order]
    on_front = sorted_means > best_of_cheaper
    # an equal of the one before it, in both, stands where that one does
    for place in np.flatnonzero(~on_front & (sorted_means == best_of_cheaper)):
        before = place - 1
        same = sorted_costs[before] == sorted_costs[place] and sorted_means[before] == sorted_means[place]
        on_front[place] = same and on_front[before]
    found = np.empty_like(on_front)
    found[order] = on_front
    return found

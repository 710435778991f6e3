"""Every effect is a weighted sum of cell means, with a Student t interval.

The model is y[variant, block] = mean[variant] + shift[block] + error: variants that share a block (a seed)
are compared within it, and the error is pooled over the whole table. Designs with missing cells are fitted
by the same least squares.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

FloatArray = NDArray[np.float64]

# Rounding errors of the small system of blocks stay far below these; what cannot be estimated leaves a part
# of the order of the weights themselves.
_ESTIMABLE = 1e-8
_RANK = 1e-10


class NotEstimableError(ValueError):
    """The cells that are there cannot tell this contrast."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockFit:
    """The block model fitted by least squares: variants' means are taken out, then the blocks are solved for.

    Attributes:
        place: Each variant's row in `counts` and `means`, in the order of first appearance.
        blocks: The names of the columns of `counts`.
        counts: How many values each cell has, shape (variants, blocks).
        means: One solution for the variants' means; only contrasts of it mean something.
        mean_square: The error variance; NaN when no degree of freedom is left to estimate it.
        residuals: Of the values in the order given.
        between: What is left of the blocks' counts when the variants' means are free, shape (blocks, blocks).
        inverse: Its pseudo-inverse: the covariance of the blocks' shifts for an error variance of 1.
        resolution: Smaller values are rounding errors.
    """

    place: Mapping[str, int]
    blocks: tuple[str, ...]
    counts: FloatArray
    means: FloatArray
    mean_square: float
    df: int
    residuals: FloatArray
    between: FloatArray
    inverse: FloatArray
    resolution: float

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(self.place)


@dataclass(frozen=True, slots=True)
class Contrast:
    """A weighted sum of cell means; without degrees of freedom `se`, `low` and `high` are NaN."""

    estimate: float
    se: float
    df: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        return self.df > 0

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """The mean of independent values; one value has neither a deviation nor an interval (NaN)."""

    mean: float
    low: float
    high: float
    sd: float
    n: int

    @property
    def has_interval(self) -> bool:
        return self.n > 1

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def fit_blocks(variant: Sequence[str], block: Sequence[int | str], y: Sequence[float]) -> BlockFit:
    """The block model of one value a row; a cell may have several rows, or none.

    Raises:
        ValueError: there is no row, or the columns differ in length.
    """
    if not len(variant) == len(block) == len(y) or len(y) == 0:
        sizes = f"{len(variant)}, {len(block)} and {len(y)}"
        raise ValueError(f"variants, blocks and values must be as many, and not none, but got {sizes}.")
    place = _places(variant)
    columns = _places(list(map(str, block)))
    rows = np.array([place[name] for name in variant])
    cells = np.array([columns[str(name)] for name in block])
    values = np.asarray(y, dtype=np.float64)
    counts = np.zeros((len(place), len(columns)))
    np.add.at(counts, (rows, cells), 1.0)
    sizes = counts.sum(axis=1)
    raw_means = np.bincount(rows, values) / sizes
    between = np.diag(counts.sum(axis=0)) - counts.T @ (counts / sizes[:, None])
    inverse = np.linalg.pinv(between, rcond=_RANK, hermitian=True)
    shifts = inverse @ np.bincount(cells, values - raw_means[rows], minlength=len(columns))
    means = raw_means - counts @ shifts / sizes
    residuals = values - means[rows] - shifts[cells]
    resolution = float(len(columns) * 8 * np.finfo(np.float64).eps * np.abs(values).max())
    residuals[np.abs(residuals) <= resolution] = 0.0
    df = (
        len(values)
        - len(place)
        - int(np.linalg.matrix_rank(between, tol=_RANK * sizes.max(), hermitian=True))
    )
    return BlockFit(
        place=place,
        blocks=tuple(columns),
        counts=counts,
        means=means,
        mean_square=_mean_square(residuals, df, resolution),
        df=df,
        residuals=residuals,
        between=between,
        inverse=inverse,
        resolution=resolution,
    )


def contrast(fit: BlockFit, weights: Mapping[str, float], *, confidence: float = 0.95) -> Contrast:
    """The weighted sum of the variants' means.

    Raises:
        NotEstimableError: a variant has no row, or the sum cannot be told from differences between blocks.
    """
    unknown = [name for name in weights if name not in fit.place]
    if unknown:
        raise NotEstimableError(f"there is no value of {', '.join(unknown)}.")
    used = [name for name, weight in weights.items() if weight]
    rows = [fit.place[name] for name in used]
    vector = np.array([weights[name] for name in used])
    per_value = vector / fit.counts[rows].sum(axis=1)
    on_blocks = per_value @ fit.counts[rows]
    _check_estimable(fit, used, on_blocks)
    estimate = float(vector @ fit.means[rows])
    if abs(estimate) <= fit.resolution * np.abs(vector).sum():
        estimate = 0.0
    variance = float(vector @ per_value + on_blocks @ fit.inverse @ on_blocks)
    return t_interval(estimate, math.sqrt(fit.mean_square * variance), fit.df, confidence=confidence)


def t_interval(estimate: float, se: float, df: float, *, confidence: float = 0.95) -> Contrast:
    """An estimate with its Student t interval; NaN where no degree of freedom is left."""
    half = t_quantile(df, confidence) * se
    return Contrast(estimate, se, df, estimate - half, estimate + half)


def mean_interval(
    values: Sequence[float], *, confidence: float = 0.95, least_variance: float = 0.0
) -> MeanInterval:
    """The mean of at least one value with its t interval and standard deviation (n - 1).

    The interval is not narrower than values of `least_variance` would make it: values that are rounded may
    be equal without being known exactly.
    """
    mean = float(np.mean(values))
    n = len(values)
    sd = float(np.std(values, ddof=1)) if n > 1 else math.nan
    half = t_quantile(n - 1, confidence) * math.sqrt(max(sd**2, least_variance) / n)
    return MeanInterval(mean, mean - half, mean + half, sd, n)


def t_quantile(df: float, confidence: float) -> float:
    """Half the width of a two-sided t interval in standard errors; NaN without degrees of freedom."""
    return float(stdtrit(df, (1 + confidence) / 2)) if df > 0 else math.nan


def _places(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _mean_square(residuals: FloatArray, df: int, resolution: float) -> float:
    if df == 0:
        return math.nan
    mean_square = float(residuals @ residuals) / df
    return mean_square if mean_square > resolution**2 else 0.0


def _check_estimable(fit: BlockFit, used: Sequence[str], on_blocks: FloatArray) -> None:
    excess = np.abs(on_blocks - fit.between @ (fit.inverse @ on_blocks))
    mixed = [name for name, part in zip(fit.blocks, excess, strict=True) if part > _ESTIMABLE]
    if mixed:
        raise NotEstimableError(
            f"the contrast of {', '.join(used)} "
            f"cannot be told from the differences between the blocks {', '.join(mixed)}."
        )

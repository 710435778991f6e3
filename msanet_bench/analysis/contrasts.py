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

# The rounding error of a projector of a few hundred columns stays far below this; a weight that leaves the
# space of what can be estimated is of the order of the weights themselves.
_ESTIMABLE = 1e-8


class NotEstimableError(ValueError):
    """The cells that are there cannot tell this contrast."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockFit:
    """The block model fitted by least squares.

    Attributes:
        means: One solution for the variants' means; only contrasts of it mean something.
        mean_square: The error variance; NaN when no degree of freedom is left to estimate it.
        covariance: That of `means`, for an error variance of 1.
        row_space: The variants' rows of the projector onto the combinations that can be estimated.
        resolution: Smaller values are rounding errors.
    """

    variants: tuple[str, ...]
    blocks: tuple[str, ...]
    means: FloatArray
    mean_square: float
    df: int
    covariance: FloatArray
    row_space: FloatArray
    resolution: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """A weighted sum of cell means; without degrees of freedom `se`, `low` and `high` are NaN."""

    estimate: float
    se: float
    df: int
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
    variants, blocks = tuple(dict.fromkeys(variant)), tuple(dict.fromkeys(map(str, block)))
    values = np.asarray(y, dtype=np.float64)
    design = np.hstack([_dummies(variant, variants), _dummies([str(name) for name in block], blocks)])
    inverse = np.linalg.pinv(design)
    solution = inverse @ values
    resolution = float(len(values) * np.finfo(np.float64).eps * np.abs(values).max())
    df = len(values) - int(np.linalg.matrix_rank(design))
    count = len(variants)
    return BlockFit(
        variants=variants,
        blocks=blocks,
        means=solution[:count],
        mean_square=_mean_square(values - design @ solution, df, resolution),
        df=df,
        covariance=inverse[:count] @ inverse[:count].T,
        row_space=(inverse @ design)[:count],
        resolution=resolution,
    )


def contrast(fit: BlockFit, weights: Mapping[str, float], *, confidence: float = 0.95) -> Contrast:
    """The weighted sum of the variants' means.

    Raises:
        NotEstimableError: a variant has no row, or the sum cannot be told from differences between blocks.
    """
    vector = _estimable(fit, weights)
    estimate = float(vector @ fit.means)
    if abs(estimate) <= fit.resolution * np.abs(vector).sum():
        estimate = 0.0
    se = math.sqrt(fit.mean_square * float(vector @ fit.covariance @ vector))
    half = t_quantile(fit.df, confidence) * se
    return Contrast(estimate, se, fit.df, estimate - half, estimate + half)


def mean_interval(values: Sequence[float], *, confidence: float = 0.95) -> MeanInterval:
    """The mean of at least one value with its t interval and standard deviation (n - 1)."""
    mean = float(np.mean(values))
    n = len(values)
    sd = float(np.std(values, ddof=1)) if n > 1 else math.nan
    half = t_quantile(n - 1, confidence) * sd / math.sqrt(n)
    return MeanInterval(mean, mean - half, mean + half, sd, n)


def t_quantile(df: int, confidence: float) -> float:
    """Half the width of a two-sided t interval in standard errors; NaN without degrees of freedom."""
    return float(stdtrit(df, (1 + confidence) / 2)) if df > 0 else math.nan


def _dummies(names: Sequence[str], columns: Sequence[str]) -> FloatArray:
    place = {name: index for index, name in enumerate(columns)}
    return np.eye(len(columns))[[place[name] for name in names]]


def _mean_square(residual: FloatArray, df: int, resolution: float) -> float:
    if df == 0:
        return math.nan
    mean_square = float(residual @ residual) / df
    return mean_square if mean_square > resolution**2 else 0.0


def _estimable(fit: BlockFit, weights: Mapping[str, float]) -> FloatArray:
    unknown = [name for name in weights if name not in fit.variants]
    if unknown:
        raise NotEstimableError(f"there is no value of {', '.join(unknown)}.")
    vector = np.array([weights.get(name, 0.0) for name in fit.variants])
    wanted = np.concatenate([vector, np.zeros(len(fit.blocks))])
    excess = np.abs(vector @ fit.row_space - wanted)
    if excess.max() > _ESTIMABLE * max(1.0, float(np.abs(vector).max())):
        mixed = [
            name for name, part in zip(fit.blocks, excess[len(vector) :], strict=True) if part > _ESTIMABLE
        ]
        raise NotEstimableError(
            f"the contrast of {', '.join(name for name in weights if weights[name])} "
            f"cannot be told from the differences between the blocks {', '.join(mixed)}."
        )
    return vector

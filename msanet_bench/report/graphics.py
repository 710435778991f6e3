"""Figures of a single network, before any format."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray

from msanet_bench.analysis.classification import Bin


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How many images of each class (row) were taken for each class (column)."""

    name: str
    alt: str
    labels: tuple[str, ...]
    counts: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Accuracy against confidence, bin by bin, above how many images each bin has."""

    name: str
    alt: str
    label: str
    bins: tuple[Bin, ...]


class Picture(NamedTuple):
    """One picture of a grid.

    Attributes:
        pixels: (H, W) or (H, W, 3) within 0 and 1 of an `image`; (H, W), from 0 on, of a `heat`.
        mark: The row and column of the pixel that the picture is about.
    """

    pixels: NDArray[Any]
    kind: Literal["image", "heat"]
    caption: str = ""
    mark: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures in rows and columns, each with a title; None leaves a place blank."""

    name: str
    alt: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    grid: tuple[tuple[Picture | None, ...], ...]
    explained: str = ""

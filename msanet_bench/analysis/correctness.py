"""Which test images each trained network got right, one bit an image, and weighted sums of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msanet_bench.analysis.weights import Weights

# Contrasts, and variants, that are unpacked at a time: 64 variants x 3 seeds x 10,000 images are 8 MB.
_AT_ONCE = 64
# Up to this share of weights other than 0, adding them one by one is faster than a product of matrices.
_DENSE = 0.2


@dataclass(frozen=True, slots=True)
class Correctness:
    """The packed bits of each variant by seed, most significant first; all of the same images.

    Attributes:
        images: How many bits count; 0 where the networks were not tested on the same images.
    """

    packed: Mapping[str, Mapping[int, bytes]]
    images: int

    def of(self, variant: str) -> NDArray[np.uint8]:
        """The bits of one variant, shape (seeds, images)."""
        rows = np.array([np.frombuffer(row, dtype=np.uint8) for row in self.packed[variant].values()])
        return np.unpackbits(rows, axis=1, count=self.images)


def differences(
    correctness: Correctness, contrasts: Sequence[Weights]
) -> Iterator[NDArray[np.float32] | None]:
    """Each weighted sum of bits over the seeds that all its variants have, shape (seeds, images).

    None where a variant has no bits or no seed is common to all.
    """
    for start in range(0, len(contrasts), _AT_ONCE):
        yield from _some(correctness, contrasts[start : start + _AT_ONCE])


def _some(correctness: Correctness, contrasts: Sequence[Weights]) -> Iterator[NDArray[np.float32] | None]:
    names = [n for n in dict.fromkeys(n for w in contrasts for n in w) if n in correctness.packed]
    seeds = sorted({seed for name in names for seed in correctness.packed[name]})
    weights = np.array([[w.get(name, 0.0) for name in names] for w in contrasts], dtype=np.float32)
    total = np.zeros((len(contrasts), len(seeds) * correctness.images), dtype=np.float32)
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        _add(total, weights[:, start : start + _AT_ONCE], _stacked(correctness, some, seeds))
    lacking = [[name for name in names if seed not in correctness.packed[name]] for seed in seeds]
    for row, sums in zip(contrasts, total, strict=True):
        is_known = all(name in correctness.packed for name, weight in row.items() if weight)
        common = [place for place, absent in enumerate(lacking) if not any(row.get(name) for name in absent)]
        yield sums.reshape(len(seeds), -1)[common] if common and is_known else None


def _add(total: NDArray[np.float32], weights: NDArray[np.float32], stack: NDArray[np.float32]) -> None:
    """Add the weighted sums of a stack of variants; of a table of differences most weights are 0."""
    if np.count_nonzero(weights) > _DENSE * weights.size:
        total += weights @ stack
        return
    for row, column in zip(*np.nonzero(weights), strict=True):
        total[row] += weights[row, column] * stack[column]


def _stacked(correctness: Correctness, names: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float32]:
    """The bits of some variants, zeros for a seed that one lacks, shape (variants, seeds * images)."""
    stack = np.zeros((len(names), len(seeds), correctness.images), dtype=np.float32)
    for row, name in zip(stack, names, strict=True):
        row[[seeds.index(seed) for seed in correctness.packed[name]]] = correctness.of(name)
    return stack.reshape(len(names), -1)

"""What training asks of data; whoever has these attributes will do."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from torch import Tensor


class Source(Protocol):
    """Images that are asked for by their numbers, 0 to num_images - 1."""

    @property
    def num_images(self) -> int: ...

    def batches(self, indices: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Images, float (N, C, H, W), and labels, int64 (N,), for each tensor of numbers, on the device."""
        ...


class TrainingData(Protocol):
    """What a network learns from, and what its checkpoint may be chosen with."""

    @property
    def train(self) -> Source: ...

    @property
    def validation(self) -> Source | None: ...

    @property
    def num_classes(self) -> int: ...

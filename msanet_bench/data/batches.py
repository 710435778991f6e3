"""Which images form a batch, and where they come from: one interface over memory and files.

Both sources give the same bits for the same rows; only speed and memory differ.
"""

import multiprocessing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from msanet_bench.data.dataset import Images, Rows
from msanet_bench.data.preprocess import Preprocessing, prepare


class Batch(NamedTuple):
    """Prepared images (N, C, H, W) and their labels (N,), on one device."""

    images: Tensor
    labels: Tensor


class TensorSource:
    """Images that were prepared once and live as one tensor on the device; a batch is a slice by index."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = images
        self.labels = labels

    @property
    def num_images(self) -> int:
        return len(self.labels)

    def batches(self, indices: Iterable[Tensor]) -> Iterator[Batch]:
        for index in indices:
            on_device = index.to(self.labels.device)
            yield Batch(self.images[on_device], self.labels[on_device])


class StreamSource:
    """Images that stay as uint8 where they are, and are prepared batch by batch on the device.

    Args:
        images: In memory, or the whole of a mapped `.npy` file: then a DataLoader reads ahead.
        rows: The rows of `images` that belong to this source; its numbers count along them.
        labels: One a row, on the device.
    """

    def __init__(self, images: Images, rows: Rows, labels: Tensor, preprocessing: Preprocessing) -> None:
        self.images = images
        self.rows = rows
        self.labels = labels
        self.preprocessing = preprocessing

    @property
    def num_images(self) -> int:
        return len(self.rows)

    def batches(self, indices: Iterable[Tensor]) -> Iterator[Batch]:
        device = self.labels.device
        wanted = list(indices)
        for index, stored in zip(wanted, self._stored(wanted), strict=True):
            images = prepare(stored.to(device, non_blocking=True), self.preprocessing)
            yield Batch(images, self.labels[index.to(device)])

    def _stored(self, indices: list[Tensor]) -> Iterable[Tensor]:
        rows = [self.rows[index.numpy()] for index in indices]
        if not isinstance(self.images, np.memmap):
            return (torch.from_numpy(self.images[batch]) for batch in rows)
        return DataLoader(
            _MappedBatches(Path(str(self.images.filename)), rows),
            batch_size=None,
            num_workers=_num_readers(),
            pin_memory=self.labels.is_cuda,
            # a generator of its own: without one the loader draws from the global stream, that is, dropout's
            generator=Generator(),
        )


Source: TypeAlias = TensorSource | StreamSource


class _MappedBatches(TorchDataset[Tensor]):
    """Batches of an `.npy` file; opened anew for each, since a pickled map would copy the whole file."""

    def __init__(self, file: Path, rows: list[Rows]) -> None:
        self.file = file
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Tensor:
        images = np.load(self.file, mmap_mode="r")
        return torch.from_numpy(images[self.rows[number]])


def _num_readers() -> int:
    """One process reads ahead, as reading is but a copy; a daemon may have no children: it reads itself."""
    return 0 if multiprocessing.current_process().daemon else 1

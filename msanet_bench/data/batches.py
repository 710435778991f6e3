"""Which images form a batch, and where they come from: one interface over memory and files.

Both sources give the same bits for the same rows; only speed and memory differ.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from torch import Tensor

from msanet_bench.data.dataset import Images, Rows
from msanet_bench.data.preprocess import Preprocessing, prepare
from msanet_bench.data.reader import READERS, stored_batches


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
        images: In memory, or the whole of a mapped `.npy` file, which is then read ahead.
        rows: The rows of `images` that belong to this source; its numbers count along them.
        labels: One a row, on the device.
        readers: Threads that read ahead; they change no bit.
    """

    def __init__(
        self,
        images: Images,
        rows: Rows,
        labels: Tensor,
        preprocessing: Preprocessing,
        *,
        readers: int = READERS,
    ) -> None:
        self.images = images
        self.rows = rows
        self.labels = labels
        self.preprocessing = preprocessing
        self.readers = readers

    @property
    def num_images(self) -> int:
        return len(self.rows)

    def batches(self, indices: Iterable[Tensor]) -> Iterator[Batch]:
        device = self.labels.device
        wanted = list(indices)
        stored = stored_batches(
            self.images,
            [self.rows[index.numpy()] for index in wanted],
            readers=self.readers,
            pinned=device.type == "cuda",
        )
        for index, batch in zip(wanted, stored, strict=True):
            images = prepare(batch.to(device, non_blocking=True), self.preprocessing)
            yield Batch(images, self.labels[index.to(device)])


Source: TypeAlias = TensorSource | StreamSource

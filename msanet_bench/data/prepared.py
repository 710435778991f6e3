"""A seed's data, ready for training: three sources on a device."""

from dataclasses import dataclass

import numpy as np
import torch

from msanet_bench.data.batches import Source, StreamSource, TensorSource
from msanet_bench.data.dataset import Dataset, Images, Labels, Rows
from msanet_bench.data.preprocess import Preprocessing, fit_preprocessing, prepared_chunks
from msanet_bench.data.splits import Split
from msanet_bench.spec import DataSpec

# Float32 images above this are streamed. Every worker holds its own, so it is what a small machine can spare
# several times, and still all of CIFAR-10 (0.7 GiB) or Fashion-MNIST (0.2 GiB).
MEMORY_LIMIT_BYTES = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class PreparedData:
    """What one cell trains on, chooses its checkpoint with, and is tested on.

    Attributes:
        validation: None when nothing was set aside.
        image: Channels, height and width as the network sees them.
        digest: That of the data set: of pixels, labels and class names.
    """

    train: Source
    validation: Source | None
    test: Source
    num_classes: int
    image: tuple[int, int, int]
    digest: str
    preprocessing: Preprocessing
    device: torch.device


def prepare_all(
    dataset: Dataset,
    spec: DataSpec,
    split: Split,
    device: torch.device,
    *,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> PreparedData:
    """The parts of a split on a device, prepared once; streamed when they would exceed the memory limit."""
    preprocessing = fit_preprocessing(dataset.train_images, split.train, spec, device)
    parts = {
        "train": (dataset.train_images, dataset.train_labels, split.train),
        "validation": _validation(dataset, split),
        "test": (dataset.test_images, dataset.test_labels, np.arange(len(dataset.test_labels))),
    }
    needed_bytes = sum(
        4 * len(rows) * int(np.prod(preprocessing.shape(images))) for images, _, rows in parts.values()
    )
    in_memory = needed_bytes <= memory_limit_bytes
    sources = {
        name: _source(*part, preprocessing, device, in_memory=in_memory) for name, part in parts.items()
    }
    validation = sources["validation"]
    return PreparedData(
        train=sources["train"],
        validation=validation if validation.num_images else None,
        test=sources["test"],
        num_classes=len(dataset.classes),
        image=preprocessing.shape(dataset.train_images),
        digest=dataset.digest,
        preprocessing=preprocessing,
        device=device,
    )


def prepare_test(
    dataset: Dataset,
    preprocessing: Preprocessing,
    device: torch.device,
    *,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> Source:
    """The test images as a network was trained to see them, by statistics that are known."""
    images, labels = dataset.test_images, dataset.test_labels
    needed_bytes = 4 * len(labels) * int(np.prod(preprocessing.shape(images)))
    rows = np.arange(len(labels))
    in_memory = needed_bytes <= memory_limit_bytes
    return _source(images, labels, rows, preprocessing, device, in_memory=in_memory)


def _validation(dataset: Dataset, split: Split) -> tuple[Images, Labels, Rows]:
    """The official part where there is one, else the rows that the split set aside."""
    if dataset.validation_images is None or dataset.validation_labels is None:
        return dataset.train_images, dataset.train_labels, split.validation
    rows = np.arange(len(dataset.validation_labels))
    return dataset.validation_images, dataset.validation_labels, rows


def _source(
    images: Images,
    labels: Labels,
    rows: Rows,
    preprocessing: Preprocessing,
    device: torch.device,
    *,
    in_memory: bool,
) -> Source:
    chosen = torch.from_numpy(labels[rows]).to(device)
    if not in_memory:
        return StreamSource(images, rows, chosen, preprocessing)
    whole = torch.empty((len(rows), *preprocessing.shape(images)), device=device)
    filled = 0
    for chunk in prepared_chunks(images, rows, preprocessing, device):
        whole[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
    return TensorSource(whole, chosen)

"""CIFAR-10: 60,000 colour images of 32x32 (Krizhevsky 2009)."""

from pathlib import Path

import numpy as np
from torchvision import datasets

from msanet_bench.data.dataset import Dataset, Part, assemble
from msanet_bench.data.registry import DATASETS
from msanet_bench.errors import DataError


@DATASETS.register("cifar10")
def cifar10(root: Path, *, download: bool = False) -> Dataset:
    """50,000 training and 10,000 test images (3, 32, 32) from `root/cifar-10-batches-py`."""
    try:
        train = datasets.CIFAR10(str(root), train=True, download=download)
        test = datasets.CIFAR10(str(root), train=False)
    except (OSError, RuntimeError) as error:  # torchvision reports missing and damaged files as RuntimeError
        raise DataError(
            f"cifar10: {root / 'cifar-10-batches-py'} is missing or damaged ({error}). "
            "Unpack cifar-10-python.tar.gz there, name its parent folder with --data-root, "
            "or set data.options.download: true."
        ) from error
    return assemble(_part(train), _part(test), train.classes)


def _part(images: datasets.CIFAR10) -> Part:
    # torchvision keeps (N, H, W, C)
    pixels = np.ascontiguousarray(images.data.transpose(0, 3, 1, 2))
    return Part(pixels, np.array(images.targets, dtype=np.int64))

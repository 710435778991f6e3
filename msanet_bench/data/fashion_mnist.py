"""Fashion-MNIST: 70,000 grey images of 28x28 (Xiao et al. 2017, arXiv:1708.07747)."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from torchvision import datasets

from msanet_bench.data.dataset import Dataset, Part, assemble
from msanet_bench.data.idx import read_idx
from msanet_bench.data.registry import DATASETS
from msanet_bench.errors import DataError

# where Debian's package dataset-fashion-mnist (section non-free) installs the four files
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@DATASETS.register("fashion_mnist")
def fashion_mnist(root: Path, *, download: bool = False) -> Dataset:
    """60,000 training and 10,000 test images (1, 28, 28), from the first folder that has all four files.

    Looks into `root/FashionMNIST/raw` (torchvision's layout), `root`, and Debian's package.
    """
    folders = (root / "FashionMNIST" / "raw", root, DEBIAN_FOLDER)
    found = _first_complete(folders)
    if found is None and download:
        _download(root)
        found = _first_complete(folders)
    if found is None:
        raise DataError(
            f"fashion_mnist: no folder has its four files. Looked in: {', '.join(map(str, folders))}. "
            "Install Debian's package dataset-fashion-mnist, name their folder with --data-root, "
            "or set data.options.download: true."
        )
    return assemble(_read_part(*found[:2]), _read_part(*found[2:]), CLASSES)


def _first_complete(folders: Iterable[Path]) -> list[Path] | None:
    """The four files, in the order of `_NAMES`, each gzipped or not."""
    for folder in folders:
        plain = [folder / name for name in _NAMES]
        files = [path if path.is_file() else path.with_name(f"{path.name}.gz") for path in plain]
        if all(path.is_file() for path in files):
            return files
    return None


def _download(root: Path) -> None:
    try:
        datasets.FashionMNIST(str(root), download=True)
    except (OSError, RuntimeError) as error:  # torchvision reports a failed transfer as RuntimeError
        raise DataError(f"fashion_mnist: the download into {root} failed ({error}).") from error


def _read_part(images_file: Path, labels_file: Path) -> Part:
    images = read_idx(images_file, 3)
    labels = read_idx(labels_file, 1)
    largest = int(labels.max(initial=0))
    if len(images) != len(labels) or largest >= len(CLASSES):
        raise DataError(
            f"{labels_file}: must hold one label below {len(CLASSES)} for each image, "
            f"but got (images={len(images)}, labels={len(labels)}, largest={largest})."
        )
    return Part(images[:, None], labels.astype(np.int64))

"""What a data set is: images, labels, class names, and a digest of all three."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Images: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.int64]


class Part(NamedTuple):
    """Images (N, C, H, W) and the class number of each."""

    images: Images
    labels: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Labelled images in their official parts; two of the same digest are equal.

    Attributes:
        train_images: (N, C, H, W), in memory or the whole of a mapped `.npy` file; so are the other images.
        validation_images: The official validation part; None when there is none, and a seed splits its own.
        classes: The name of each class, by its number.
        digest: Of pixels, labels and class names; never of paths or times.
        notes: What a reader of results should know of these images.
    """

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    classes: tuple[str, ...]
    digest: str
    validation_images: Images | None = None
    validation_labels: Labels | None = None
    notes: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def assemble(train: Part, test: Part, classes: Sequence[str], validation: Part | None = None) -> Dataset:
    """A data set with its digest computed."""
    parts = (train, test) if validation is None else (train, test, validation)
    return Dataset(*train, *test, tuple(classes), digest_of(parts, classes), *(validation or ()))


def unmapped(dataset: Dataset) -> Dataset:
    """The same images where mapped files are plain arrays, as which other processes can share them."""
    validation = dataset.validation_images
    return replace(
        dataset,
        train_images=np.asarray(dataset.train_images),
        test_images=np.asarray(dataset.test_images),
        validation_images=None if validation is None else np.asarray(validation),
    )


def digest_of(parts: Sequence[Part], classes: Sequence[str]) -> str:
    """The first 16 hexadecimal digits of a SHA-256 over class names, shapes, pixels and labels."""
    sha = hashlib.sha256("\x1f".join(classes).encode())
    for images, labels in parts:
        sha.update(f"\x1e{images.shape}".encode())
        # 4096 rows at a time: a mapped file never has to fit into memory
        for start in range(0, len(images), 4096):
            sha.update(np.ascontiguousarray(images[start : start + 4096]).data)
        sha.update(labels.astype("<i8").tobytes())
    return sha.hexdigest()[:16]

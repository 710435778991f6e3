"""Which training images a seed trains on, and which it sets aside for validation.

Both draws are stratified by class and depend on seed and replicate alone, never on the variant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from msanet_bench.data.dataset import Dataset, Labels, Rows
from msanet_bench.errors import DataError
from msanet_bench.spec import DataSpec
from msanet_bench.streams import stream_seed


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows of `train_images`, ascending; no row is in both.

    `validation` is empty when the data set has an official validation part, or when `validation: 0`.
    """

    train: Rows
    validation: Rows


def split(dataset: Dataset, spec: DataSpec, seed: int, replicate: int = 0) -> Split:
    """The seed's training and validation rows.

    Validation is drawn first, from all training images: the same rows for any number of `train_images`.

    Raises:
        DataError: too few images for the parts that the spec asks for.
    """
    labels = dataset.train_labels
    order = shuffled(len(labels), stream_seed(seed, "split", replicate=replicate))
    validation = order[:0]
    if dataset.validation_images is None and spec.validation > 0:
        validation = draw(order, labels, _validation_quotas(labels, spec.validation))
    rest = order[~np.isin(order, validation)]
    train = draw(rest, labels, _training_quotas(labels[rest], dataset.classes, spec.train_images))
    return Split(np.sort(train), np.sort(validation))


def num_training_images(dataset: Dataset, spec: DataSpec) -> int:
    """How many images an epoch goes through: the same of every seed."""
    if spec.train_images is not None:
        return spec.train_images
    labels = dataset.train_labels
    return len(labels) - (round(spec.validation * len(labels)) if dataset.validation_images is None else 0)


def shuffled(count: int, seed: int) -> Rows:
    """The numbers below `count` in an order that depends on the seed alone.

    Sorts raw 64-bit draws: NumPy promises the bits of PCG64 for ever, but not those of `permutation`.
    """
    return np.argsort(np.random.PCG64(seed).random_raw(count), kind="stable")


def draw(order: Rows, labels: Labels, quotas: Mapping[int, int]) -> Rows:
    """The first rows of each class in this order, as many as its quota."""
    chosen = [order[labels[order] == label][:quota] for label, quota in quotas.items()]
    return np.concatenate(chosen)


def proportional_quotas(labels: Labels, count: int) -> dict[int, int]:
    """How many of `count` images each class gives: its share, with the largest remainders rounded up.

    Whole numbers throughout; of equal remainders the lower class number comes first.
    """
    present, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count
    quotas = shares // len(labels)
    missing = count - int(quotas.sum())
    quotas[np.argsort(-(shares % len(labels)), kind="stable")[:missing]] += 1
    return dict(zip(present.tolist(), quotas.tolist(), strict=True))


def _validation_quotas(labels: Labels, fraction: float) -> dict[int, int]:
    count = round(fraction * len(labels))
    if count == 0:
        raise DataError(
            "data.validation: must set aside at least one image, "
            f"but got (validation={fraction}, training images={len(labels)}). Raise it, or set it to 0."
        )
    return proportional_quotas(labels, count)


def _training_quotas(labels: Labels, classes: tuple[str, ...], wanted: int | None) -> dict[int, int]:
    if wanted is not None and wanted > len(labels):
        raise DataError(
            "data.train_images: must be at most the training images that validation leaves, "
            f"but got (train_images={wanted}, left={len(labels)})."
        )
    quotas = proportional_quotas(labels, len(labels) if wanted is None else wanted)
    absent = [name for number, name in enumerate(classes) if not quotas.get(number)]
    if absent:
        raise DataError(
            "data.train_images: every class needs at least one training image, "
            f"but got (train_images={sum(quotas.values())}, {_listed(absent)} without one)."
        )
    return quotas


def _listed(names: Iterable[str]) -> str:
    first, *others = names
    return f"class {first!r}" + (f" and {len(others)} more" if others else "")

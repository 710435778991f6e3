"""Made images: reproducible, balanced, and separable by their waves."""

from pathlib import Path

import numpy as np

from msanet_bench.data import Dataset, load
from msanet_bench.spec import DataSpec


def _load(root: Path, **options: int) -> Dataset:
    return load(DataSpec(dataset="fake", options=options), root)


def test_equal_options_make_equal_images_and_another_seed_others(tmp_path: Path) -> None:
    assert _load(tmp_path).digest == _load(tmp_path).digest
    assert _load(tmp_path).digest != _load(tmp_path, seed=1).digest


def test_classes_take_turns(tmp_path: Path) -> None:
    dataset = _load(tmp_path, classes=3, images=7, test_images=4)
    assert dataset.train_labels.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert dataset.test_labels.tolist() == [0, 1, 2, 0]


def test_the_nearest_class_mean_tells_test_images_apart(tmp_path: Path) -> None:
    dataset = _load(tmp_path, classes=10, size=16)
    train = dataset.train_images.reshape(256, -1).astype(float)
    means = np.stack([train[dataset.train_labels == k].mean(axis=0) for k in range(10)])
    test = dataset.test_images.reshape(64, -1).astype(float)
    nearest = np.linalg.norm(test[:, None] - means[None], axis=2).argmin(axis=1)
    assert (nearest == dataset.test_labels).mean() > 0.95

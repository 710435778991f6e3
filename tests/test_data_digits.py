"""scikit-learn's digits: counts, scale, and a test set that no seed changes."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from msanet_bench.data import load, split
from msanet_bench.spec import DataSpec


def test_the_digits_have_their_published_counts(tmp_path: Path) -> None:
    dataset = load(DataSpec(), tmp_path)
    assert dataset.train_images.shape == (1437, 1, 8, 8)
    assert dataset.test_images.shape == (360, 1, 8, 8)
    assert dataset.train_images.dtype == np.uint8
    assert np.bincount(dataset.test_labels).tolist() == [36] * 10
    # the class counts of UCI's optdigits.tes, less 36
    published = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(dataset.train_labels).tolist() == [count - 36 for count in published]


def test_grey_levels_0_to_16_become_0_to_255(tmp_path: Path) -> None:
    dataset = load(DataSpec(), tmp_path)
    # by hand: k * 15.9375, the half of 8 to the even 128
    levels = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    assert np.unique(dataset.train_images).tolist() == levels


def test_train_and_test_together_are_the_original_images(tmp_path: Path) -> None:
    dataset = load(DataSpec(), tmp_path)
    ours = np.concatenate([dataset.train_images, dataset.test_images]).reshape(1797, 64)
    theirs = np.rint(load_digits().data * 255 / 16).astype(np.uint8)
    assert sorted(map(bytes, ours)) == sorted(map(bytes, theirs))


def test_the_test_set_is_the_same_for_every_seed(tmp_path: Path) -> None:
    dataset = load(DataSpec(), tmp_path)
    before = dataset.test_images.copy()
    for seed in range(3):
        drawn = split(dataset, DataSpec(train_images=400), seed)
        assert drawn.train.max() < 1437
    again = load(DataSpec(), tmp_path)
    assert np.array_equal(again.test_images, before)
    assert again.digest == dataset.digest == "cbd387ab0d0b4669"

"""Handwritten digits that come with scikit-learn: 1797 images of 8x8, no download."""

from pathlib import Path

import numpy as np

from msanet_bench.data.dataset import Dataset, Part, assemble
from msanet_bench.data.registry import DATASETS
from msanet_bench.data.splits import draw, shuffled

_TEST_SEED = 0
_TEST_IMAGES_A_CLASS = 36


@DATASETS.register("digits")
def digits(root: Path) -> Dataset:
    """1437 training and 360 test images (1, 8, 8), 36 a class in the test set, the same for every seed.

    They are the test part of UCI's "Optical Recognition of Handwritten Digits"; the grey levels 0..16
    become 0..255. A writer's digits may stand in both parts: accuracy is that for known hands.
    """
    # here and not above: it costs a second and loads pandas, which no other data set needs
    from sklearn.datasets import load_digits  # noqa: PLC0415

    del root  # embedded: nothing is read from the data folder
    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.int64)
    order = shuffled(len(labels), _TEST_SEED)
    test = np.sort(draw(order, labels, dict.fromkeys(range(10), _TEST_IMAGES_A_CLASS)))
    train = np.setdiff1d(order, test)
    return assemble(
        Part(images[train], labels[train]),
        Part(images[test], labels[test]),
        [str(digit) for digit in range(10)],
    )

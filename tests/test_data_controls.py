"""Planted controls: the rule of each is read off the pixels again, and where it must not show it does not."""

import math
from pathlib import Path

import numpy as np
import pytest

from msanet_bench.data import Dataset, load
from msanet_bench.spec import DataSpec

CONTROLS = (
    "control_local",
    "control_noise",
    "control_texture_scale",
    "control_long_range",
    "control_global_mean",
)


def _load(root: Path, name: str, **options: int) -> Dataset:
    return load(DataSpec(dataset=name, options=options), root)


@pytest.mark.parametrize("name", CONTROLS)
def test_options_and_seed_alone_make_the_images(tmp_path: Path, name: str) -> None:
    few = {"images": 100, "test_images": 50}
    assert _load(tmp_path, name, **few).digest == _load(tmp_path, name, **few).digest
    assert _load(tmp_path, name, **few).digest != _load(tmp_path, name, **few, seed=1).digest


@pytest.mark.parametrize("name", CONTROLS)
def test_half_of_the_images_are_of_each_class(tmp_path: Path, name: str) -> None:
    dataset = _load(tmp_path, name, images=200, test_images=100)
    assert np.bincount(dataset.train_labels).tolist() == [100, 100]
    assert np.bincount(dataset.test_labels).tolist() == [50, 50]


@pytest.mark.parametrize("name", CONTROLS)
def test_no_image_is_in_both_parts(tmp_path: Path, name: str) -> None:
    dataset = _load(tmp_path, name, images=2000)
    train = {image.tobytes() for image in dataset.train_images}
    assert len(train) == 2000
    assert train.isdisjoint(image.tobytes() for image in dataset.test_images)


def test_dots_of_test_images_are_rarely_those_of_a_training_image(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_texture_scale", images=2000)
    train, test = (
        [(part > 128).tobytes() for part in images] for images in (dataset.train_images, dataset.test_images)
    )
    # (12 * 8)^3 = 884,736 patterns of far pairs, 500 test images among 1000: 0.6 expected, and fewer of near
    assert sum(pattern in set(train) for pattern in test) <= 5


@pytest.mark.parametrize("name", CONTROLS)
def test_more_test_images_change_no_training_image(tmp_path: Path, name: str) -> None:
    short, long = (_load(tmp_path, name, test_images=count) for count in (10, 50))
    assert np.array_equal(short.train_images, long.train_images)


def _share_of_rule(dataset: Dataset) -> float:
    """How often the class is the direction of most strokes; those that touch make a few more pairs."""
    lit = dataset.test_images[:, 0] > 128
    across = (lit[:, :, 1:] & lit[:, :, :-1]).sum(axis=(1, 2))
    down = (lit[:, 1:] & lit[:, :-1]).sum(axis=(1, 2))
    return float(np.where(down == across, 0.5, (down > across) == dataset.test_labels).mean())


def test_counting_strokes_is_right_as_often_as_their_share_says(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_local", test_images=4000)
    assert ((dataset.test_images > 128).sum(axis=(1, 2, 3)) == 32).all()
    chance = [math.comb(16, count) * 0.7**count * 0.3 ** (16 - count) for count in range(17)]
    best = sum(chance[9:]) + chance[8] / 2
    assert abs(best - 0.95) < 0.0005
    # four standard errors of 4000 images, and what touching strokes cost
    assert best - 0.04 < _share_of_rule(dataset) < best + 0.014


def test_dots_of_a_row_are_as_far_apart_as_the_class_says(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_texture_scale", test_images=50)
    for image, label in zip(dataset.test_images[:, 0], dataset.test_labels, strict=True):
        lit = [np.flatnonzero(row > 128) for row in image]
        assert [index // 8 for index, columns in enumerate(lit) if len(columns)] == [0, 1, 2]
        gaps = {int(min(b - a, 24 - (b - a))) for a, b in (columns for columns in lit if len(columns))}
        assert gaps == {12 if label else 10}


def _row_parts(images: np.ndarray, width: int) -> np.ndarray:
    """How many windows of that width, of single rows, hold two dots: one number an image."""
    windows = np.lib.stride_tricks.sliding_window_view(images[:, 0] > 128, width, axis=2)
    return np.asarray((windows.sum(axis=3) == 2).sum(axis=(1, 2)))


def test_no_window_as_wide_as_3x3_sees_holds_a_pair_and_one_of_13_does(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_texture_scale", test_images=200)
    assert _row_parts(dataset.test_images, 9).max() == 0
    fine = _row_parts(dataset.test_images, 13)[dataset.test_labels == 0]
    coarse = _row_parts(dataset.test_images, 13)[dataset.test_labels == 1]
    # 12 apart each row has the one window from dot to dot; 10 apart, of 24 places on the ring 14 do not wrap,
    # in up to 3 windows: 1 + 2 + 10 * 3 + 2 + 1 = 36, so 3 * 36 / 24 = 4.5 an image
    assert (coarse == 3).all()
    assert abs(fine.mean() - 4.5) < 1


def _orders(images: np.ndarray) -> np.ndarray:
    """Of each image and side, whether the colours go up from stripe to stripe: (N, 2)."""
    colours = (images.min(axis=2) > 128) * np.arange(1, 4)[None, :, None]
    stripes = colours.sum(axis=1)
    found = [row[row > 0].reshape(2, 6) - 1 for row in stripes]
    steps = np.diff(np.array(found), axis=2) % 3
    assert (steps == steps[:, :, :1]).all()
    return np.asarray(steps[:, :, 0] == 1)


def test_stripes_are_in_the_same_order_as_the_class_says(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_long_range", test_images=80)
    left, right = _orders(dataset.test_images).T
    assert np.array_equal(left != right, dataset.test_labels == 1)
    kinds = 2 * left.astype(int) + right
    assert np.bincount(kinds).tolist() == [30, 20, 20, 10]


def test_a_window_of_3_holds_one_stripe_and_one_of_11_one_side(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_long_range", test_images=80)
    lit = dataset.test_images.min(axis=2) > 128
    for image in lit:
        columns = np.flatnonzero(image.any(axis=0))
        # in the middle of its window of 3 after the stride of 2, so all windows with a stripe are alike
        assert (columns % 2 == 0).all()
        assert np.diff(columns).min() >= 3
        assert columns[6] - columns[5] >= 11
        # as many of each colour whatever the order: the mean of what windows of 3 say is the same
        assert image[:, columns[:6]].sum(axis=1).tolist() == [2, 2, 2]
        assert image[:, columns[6:]].sum(axis=1).tolist() == [2, 2, 2]


def test_lines_and_brightness_go_together_as_the_class_says(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_global_mean", test_images=80)
    images = dataset.test_images[:, 0].astype(float)
    lines, between, pixels = images[:, :, :20], images[:, :, 20:32], images[:, :, 32:]
    # lines down differ from column to column
    down = np.abs(np.diff(lines, axis=2)).mean(axis=(1, 2)) > 90
    bright = pixels.mean(axis=(1, 2)) > 130
    assert np.array_equal(down != bright, dataset.test_labels == 1)
    assert np.bincount(2 * down.astype(int) + bright).tolist() == [30, 20, 20, 10]
    # half of the lines' pixels are bright in either direction, and nothing is between
    assert ((lines > 128).sum(axis=(1, 2)) == 40).all()
    assert np.abs(between - 128).max() < 60
    assert set((pixels > 128).sum(axis=(1, 2)).tolist()) == {24, 56}


def test_a_sum_of_two_sides_is_right_for_seven_of_eight_at_most() -> None:
    same = {(0, 0): 3, (1, 1): 1}
    different = {(0, 1): 2, (1, 0): 2}

    def right(first: int, second: int, threshold: float) -> int:
        def above(kinds: tuple[int, int]) -> bool:
            return first * kinds[0] + second * kinds[1] > threshold

        is_right = sum(count for kinds, count in different.items() if above(kinds))
        return is_right + sum(count for kinds, count in same.items() if not above(kinds))

    # the score of a kind is 0 on each side, so only these four orders of the sums 0, a, b, a + b matter
    weights, thresholds = range(-3, 4), np.arange(-7, 7) + 0.5
    assert max(right(a, b, t) for a in weights for b in weights for t in thresholds) == 7


@pytest.mark.parametrize("name", [*CONTROLS[:3], "control_long_range"])
def test_the_sum_of_all_pixels_tells_nothing(tmp_path: Path, name: str) -> None:
    dataset = _load(tmp_path, name, test_images=1000)
    sums = dataset.test_images.reshape(1000, -1).sum(axis=1, dtype=np.int64)
    right = ((sums > np.median(sums)) == dataset.test_labels).mean()
    # four standard errors of 1000 coin tosses
    assert abs(right - 0.5) < 0.064


@pytest.mark.parametrize("name", ["control_noise", "control_texture_scale"])
def test_a_linear_model_of_the_pixels_stays_at_chance(tmp_path: Path, name: str) -> None:
    dataset = _load(tmp_path, name, images=2000, test_images=1000)
    train, test = (
        np.c_[part.reshape(len(part), -1) / 255.0, np.ones(len(part))]
        for part in (dataset.train_images, dataset.test_images)
    )
    weights = np.linalg.lstsq(train, 2.0 * dataset.train_labels - 1, rcond=None)[0]
    right = ((test @ weights > 0) == dataset.test_labels).mean()
    assert abs(right - 0.5) < 0.064

"""Planted controls: the rule of each is read off the pixels again, and where it must not show it does not."""

from pathlib import Path

import numpy as np
import pytest

from msanet_bench.data import Dataset, load
from msanet_bench.spec import DataSpec

CONTROLS = ("control_local", "control_noise", "control_texture_scale")


def _load(root: Path, name: str, **options: int) -> Dataset:
    return load(DataSpec(dataset=name, options=options), root)


@pytest.mark.parametrize("name", CONTROLS)
def test_options_and_seed_alone_make_the_images(tmp_path: Path, name: str) -> None:
    assert _load(tmp_path, name).digest == _load(tmp_path, name).digest
    assert _load(tmp_path, name).digest != _load(tmp_path, name, seed=1).digest


@pytest.mark.parametrize("name", CONTROLS)
def test_half_of_the_images_are_of_each_class(tmp_path: Path, name: str) -> None:
    dataset = _load(tmp_path, name, images=200, test_images=100)
    assert np.bincount(dataset.train_labels).tolist() == [100, 100]
    assert np.bincount(dataset.test_labels).tolist() == [50, 50]


# there are only 24^3 patterns of near pairs and 12^3 of far ones: of `texture_scale` some are in both parts
@pytest.mark.parametrize("name", ["control_local", "control_noise"])
def test_no_image_is_in_both_parts(tmp_path: Path, name: str) -> None:
    dataset = _load(tmp_path, name)
    train = {image.tobytes() for image in dataset.train_images}
    assert train.isdisjoint(image.tobytes() for image in dataset.test_images)


@pytest.mark.parametrize("name", CONTROLS)
def test_more_test_images_change_no_training_image(tmp_path: Path, name: str) -> None:
    short, long = (_load(tmp_path, name, test_images=count) for count in (10, 50))
    assert np.array_equal(short.train_images, long.train_images)


def test_each_bright_pixel_of_a_stroke_has_its_fellow_beside_or_below(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_local", test_images=50)
    for image, label in zip(dataset.test_images[:, 0], dataset.test_labels, strict=True):
        lit = {(int(row), int(column)) for row, column in np.argwhere(image > 128)}
        assert len(lit) == 32
        across = sum((row, column + 1) in lit for row, column in lit)
        down = sum((row + 1, column) in lit for row, column in lit)
        # 16 strokes, and at most some that touch by chance
        assert (down > across) == bool(label)
        assert max(across, down) >= 16


def test_dots_of_a_row_are_as_far_apart_as_the_class_says(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "control_texture_scale", test_images=50)
    for image, label in zip(dataset.test_images[:, 0], dataset.test_labels, strict=True):
        lit = [np.flatnonzero(row > 128) for row in image]
        assert [index for index, columns in enumerate(lit) if len(columns)] == [4, 12, 20]
        gaps = {int(min(b - a, 24 - (b - a))) for a, b in (columns for columns in lit if len(columns))}
        assert gaps == {12 if label else 10}


def _row_parts(images: np.ndarray, width: int) -> np.ndarray:
    """How many windows of that width, of the three rows with dots, hold two dots: one number an image."""
    rows = images[:, 0, 4::8] > 128
    windows = np.lib.stride_tricks.sliding_window_view(rows, width, axis=2)
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


@pytest.mark.parametrize("name", CONTROLS)
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

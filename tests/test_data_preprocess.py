"""Preprocessing against numpy: statistics of the training rows only, resizing by hand."""

import numpy as np
import pytest
import torch

from msanet_bench.data import Preprocessing, preprocess
from msanet_bench.data.preprocess import fit_preprocessing, prepare
from msanet_bench.spec import DataSpec

CPU = torch.device("cpu")


def _images(count: int = 40, channels: int = 3, size: int = 8) -> np.ndarray:
    random = np.random.default_rng(0)
    levels = np.linspace(20, 200, channels)[:, None, None]
    noise = random.integers(0, 50, size=(count, channels, size, size))
    # later images are brighter, so that it matters which rows are taken
    return (levels + noise * np.linspace(0.2, 1.0, count)[:, None, None, None]).astype(np.uint8)


def _fit(images: np.ndarray, rows: np.ndarray, **spec: object) -> Preprocessing:
    return fit_preprocessing(images, rows, DataSpec.model_validate(spec), CPU)


def test_the_statistics_are_those_of_the_training_rows_in_float64() -> None:
    images, rows = _images(), np.arange(0, 20)
    fitted = _fit(images, rows)
    pixels = images[rows].astype(np.float64) / 255
    # the pixels themselves are float32: 6e-8 relative
    assert fitted.mean == pytest.approx(pixels.mean(axis=(0, 2, 3)), rel=1e-7)
    assert fitted.deviation == pytest.approx(pixels.std(axis=(0, 2, 3)), rel=1e-6)


def test_twin_statistics_that_include_other_rows_differ() -> None:
    images = _images()
    ours, leaky = _fit(images, np.arange(20)), _fit(images, np.arange(40))
    assert max(np.abs(np.subtract(ours.mean, leaky.mean))) > 0.01


def test_the_statistics_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    images, rows = _images(), np.arange(40)
    whole = _fit(images, rows, resize=12)
    monkeypatch.setattr(preprocess, "_CHUNK_NUMBERS", 7 * 3 * 12 * 12)
    chunked = _fit(images, rows, resize=12)
    assert chunked.mean == pytest.approx(whole.mean, rel=1e-12)
    assert chunked.deviation == pytest.approx(whole.deviation, rel=1e-9)


def test_the_statistics_are_taken_after_resizing() -> None:
    checkerboard = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)[None, None]
    sharp = _fit(checkerboard, np.arange(1))
    halved = _fit(checkerboard, np.arange(1), resize=4)
    assert sharp.deviation == pytest.approx((0.5,))
    assert halved.deviation[0] < 0.1


def test_prepared_training_images_have_mean_0_and_deviation_1() -> None:
    images = _images()
    prepared = prepare(torch.from_numpy(images), _fit(images, np.arange(40))).double()
    assert prepared.mean((0, 2, 3)).abs().max() < 1e-6
    assert (prepared.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-6


def test_a_flat_channel_is_centred_and_not_divided() -> None:
    images = _images()
    images[:, 1] = 77
    fitted = _fit(images, np.arange(40))
    assert fitted.deviation[1] == 1.0
    assert prepare(torch.from_numpy(images), fitted)[:, 1].abs().max() < 1e-6


def test_without_normalisation_pixels_are_only_scaled() -> None:
    images = _images()
    prepared = prepare(torch.from_numpy(images), _fit(images, np.arange(40), normalise=False))
    assert prepared.dtype == torch.float32
    assert np.array_equal(prepared.numpy(), images.astype(np.float32) / np.float32(255))


def test_doubling_follows_the_bilinear_weights() -> None:
    row = np.array([0, 255, 0, 255], np.uint8)
    images = np.broadcast_to(row, (1, 1, 4, 4)).copy()
    prepared = prepare(torch.from_numpy(images), Preprocessing(8, (0.0,), (1.0,)))
    # by hand: new pixel k lies at k/2 - 1/4 between old ones, weights 3/4 and 1/4, edges repeated
    expected = [0, 0.25, 0.75, 0.75, 0.25, 0.25, 0.75, 1]
    assert prepared[0, 0, 0].tolist() == pytest.approx(expected, abs=1e-6)


def test_an_oblong_image_becomes_a_square() -> None:
    images = np.zeros((2, 3, 10, 20), np.uint8)
    fitted = _fit(images, np.arange(2), resize=16)
    assert prepare(torch.from_numpy(images), fitted).shape == (2, 3, 16, 16)
    assert fitted.shape(images) == (3, 16, 16)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 5])
def test_an_image_has_the_same_bits_alone_and_in_a_batch(channels: int, size: int) -> None:
    images = torch.from_numpy(_images(9, channels))
    fitted = Preprocessing(size, (0.3,) * channels, (0.2,) * channels)
    alone = torch.cat([prepare(image[None], fitted) for image in images])
    assert torch.equal(prepare(images, fitted), alone)


def test_the_stored_images_stay_as_they_are() -> None:
    images = torch.from_numpy(_images())
    before = images.clone()
    prepare(images, Preprocessing(None, (0.3,) * 3, (0.2,) * 3))
    assert torch.equal(images, before)

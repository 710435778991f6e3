"""The digest of a data set: equal for equal content, different for any change of it."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from msanet_bench.data.dataset import Dataset, Part, assemble


def _part(count: int, first: int = 0) -> Part:
    pixels = (np.arange(count * 12) + first) % 251
    return Part(pixels.astype(np.uint8).reshape(count, 3, 2, 2), np.arange(count, dtype=np.int64) % 2)


def _made(train: Part, classes: tuple[str, ...] = ("cat", "dog")) -> Dataset:
    return assemble(train, _part(2, first=7), classes)


def test_the_digest_is_the_sha256_of_names_shapes_pixels_and_labels() -> None:
    train, test = _part(4), _part(2, first=7)
    written_out = [b"cat\x1fdog", b"\x1e(4, 3, 2, 2)", train.images.tobytes(), train.labels.tobytes()]
    written_out += [b"\x1e(2, 3, 2, 2)", test.images.tobytes(), test.labels.tobytes()]
    assert _made(train).digest == hashlib.sha256(b"".join(written_out)).hexdigest()[:16]


def test_the_digest_is_the_same_for_a_mapped_file_and_a_strided_view(tmp_path: Path) -> None:
    train = _part(5000)
    np.save(tmp_path / "images.npy", train.images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    strided = np.repeat(train.images, 2, axis=0)[::2]
    digests = {_made(Part(images, train.labels)).digest for images in (train.images, mapped, strided)}
    assert len(digests) == 1


def _one_pixel(part: Part) -> Part:
    images = part.images.copy()
    images[3, 2, 1, 1] += 1
    return Part(images, part.labels)


def _one_label(part: Part) -> Part:
    labels = part.labels.copy()
    labels[3] = 0
    return Part(part.images, labels)


@pytest.mark.parametrize(
    "changed",
    [
        _made(_one_pixel(_part(4))),
        _made(_one_label(_part(4))),
        _made(_part(4), classes=("cat", "cow")),
        _made(Part(_part(4).images.reshape(4, 3, 4, 1), _part(4).labels)),
        assemble(_part(4), _part(2, first=7), ("cat", "dog"), validation=_part(2)),
    ],
    ids=["pixel", "label", "class name", "shape", "validation part"],
)
def test_the_digest_changes_with_any_content(changed: Dataset) -> None:
    assert changed.digest != _made(_part(4)).digest


def test_the_official_validation_part_is_kept() -> None:
    validation = _part(2, first=3)
    dataset = assemble(_part(4), _part(2), ("cat", "dog"), validation=validation)
    assert dataset.validation_images is validation.images
    assert dataset.validation_labels is validation.labels
    assert _made(_part(4)).validation_images is None

"""Image files to a data set: official parts, digest of content, one cache for all."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msanet_bench.data import Dataset, assemble, cache_bytes, image_folder, load
from msanet_bench.data.dataset import Part
from msanet_bench.errors import DataError
from msanet_bench.spec import DataSpec

LEVELS = {
    "train/cat/a.png": 10,
    "train/cat/b.png": 20,
    "train/dog/a.png": 30,
    "test/cat/a.png": 40,
    "test/dog/a.png": 50,
    "val/dog/a.png": 60,
}
SPEC = DataSpec(dataset="image_folder", options={"folder": "pets", "size": 8})
TABLE_SPEC = DataSpec(dataset="image_folder", options={"table": "pets/images.csv", "size": 8})


def _write(root: Path, *, without: str = "nothing") -> Path:
    for name, level in LEVELS.items():
        if not name.startswith(without):
            (root / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (12, 8), (level, level + 1, level + 2)).save(root / "pets" / name)
    return root


def _flat(levels: list[int]) -> np.ndarray:
    colours = np.array(levels, np.uint8)[:, None] + np.arange(3, dtype=np.uint8)
    return np.broadcast_to(colours[:, :, None, None], (len(levels), 3, 8, 8))


def _expected() -> Dataset:
    return assemble(
        Part(_flat([10, 20, 30]), np.array([0, 0, 1])),
        Part(_flat([40, 50]), np.array([0, 1])),
        ("cat", "dog"),
        Part(_flat([60]), np.array([1])),
    )


def _caches(root: Path) -> list[Path]:
    return sorted((root / ".msanet_cache").iterdir())


def test_a_tree_becomes_a_mapped_data_set_with_its_official_parts(tmp_path: Path) -> None:
    dataset, expected = load(SPEC, _write(tmp_path)), _expected()
    assert isinstance(dataset.train_images, np.memmap)
    assert np.array_equal(dataset.train_images, expected.train_images)
    assert np.array_equal(dataset.test_images, expected.test_images)
    assert dataset.validation_images is not None
    assert np.array_equal(dataset.validation_images, _flat([60]))
    assert dataset.train_labels.tolist() == [0, 0, 1]
    assert dataset.test_labels.tolist() == [0, 1]
    assert dataset.classes == ("cat", "dog")
    assert dataset.digest == expected.digest


def test_without_a_val_folder_there_is_no_official_validation(tmp_path: Path) -> None:
    assert load(SPEC, _write(tmp_path, without="val")).validation_images is None


def test_a_table_gives_the_same_data_set(tmp_path: Path) -> None:
    _write(tmp_path)
    lines = [f"{name},{name.split('/')[1]},{name.split('/')[0]}\n" for name in reversed(LEVELS)]
    (tmp_path / "pets" / "images.csv").write_text("path,label,split\n" + "".join(lines), encoding="ascii")
    assert load(TABLE_SPEC, tmp_path).digest == _expected().digest


def test_the_digest_knows_neither_places_nor_times(tmp_path: Path) -> None:
    here = load(SPEC, _write(tmp_path / "here")).digest
    shutil.copytree(tmp_path / "here" / "pets", tmp_path / "there" / "pets")
    os.utime(tmp_path / "there" / "pets" / "test" / "cat" / "a.png", (1, 1))
    assert load(SPEC, tmp_path / "there").digest == here


def test_images_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(SPEC, _write(tmp_path))
    monkeypatch.setattr(image_folder, "build_cache", lambda *_: pytest.fail("decoded again"))
    assert load(SPEC, tmp_path).digest == first.digest


def test_a_changed_image_or_size_makes_another_cache(tmp_path: Path) -> None:
    first = load(SPEC, _write(tmp_path))
    Image.new("RGB", (12, 8), (99, 99, 99)).save(tmp_path / "pets" / "train" / "cat" / "a.png")
    second = load(SPEC, tmp_path)
    third = load(DataSpec(dataset="image_folder", options={"folder": "pets", "size": 4}), tmp_path)
    assert len({first.digest, second.digest, third.digest}) == 3
    assert second.train_images[0].max() == 99
    assert len(_caches(tmp_path)) == 3


def test_a_cache_has_the_name_that_earlier_versions_gave_it(tmp_path: Path) -> None:
    """By their formula: the hash of one JSON text of the decoder's number, the size and all stamps."""
    load(SPEC, _write(tmp_path))
    stamps = []
    for name in sorted(LEVELS):
        part, label, _ = name.split("/")
        status = (tmp_path / "pets" / name).stat()
        stamps.append([part, label, name, status.st_size, status.st_mtime_ns])
    expected = hashlib.sha256(json.dumps([1, 8, stamps]).encode()).hexdigest()[:16]
    assert [cache.name for cache in _caches(tmp_path)] == [expected]


def test_the_size_of_the_cache_is_known_beforehand(tmp_path: Path) -> None:
    _write(tmp_path)
    # six images of 3 x 8 x 8 bytes
    assert cache_bytes(SPEC, tmp_path) == 6 * 192
    assert not (tmp_path / ".msanet_cache").exists()
    load(SPEC, tmp_path)
    assert cache_bytes(SPEC, tmp_path) == 0
    assert cache_bytes(DataSpec(), tmp_path) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "image_folder: needs either `folder` or `table`, but got (folder='', table='')."),
        (
            {"folder": "a", "table": "b.csv"},
            "image_folder: needs either `folder` or `table`, but got (folder='a', table='b.csv').",
        ),
        ({"folder": "/a"}, "image_folder: the path must be relative to the data folder, but got /a."),
    ],
)
def test_the_place_is_one_relative_path(options: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(DataSpec(dataset="image_folder", options=options), tmp_path)
    assert str(caught.value).startswith(message)


def test_a_file_that_a_table_names_in_vain_is_reported(tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "images.csv").write_text(
        "path,label,split\na.png,cat,train\nc.png,dog,train\nb.png,cat,test\n"
    )
    with pytest.raises(DataError, match=r"pets/b\.png: cannot be read \(No such file or directory\)\."):
        load(TABLE_SPEC, tmp_path)

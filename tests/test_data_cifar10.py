"""CIFAR-10 from a tiny copy of its files, whose checksums are not compared."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import cifar

from msanet_bench.data import load
from msanet_bench.errors import DataError
from msanet_bench.spec import DataSpec

SPEC = DataSpec(dataset="cifar10")
NAMES = [f"name{k}" for k in range(10)]


def _write(folder: Path) -> None:
    folder.mkdir()
    for number, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        # red, green and blue planes of two images, each plane one value
        rows = np.repeat(np.array([[1, 2, 3], [4, 5, 6]], np.uint8) + 10 * number, 1024, axis=1)
        (folder / name).write_bytes(pickle.dumps({"data": rows, "labels": [number, 9]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": NAMES}))


def test_the_official_parts_are_read_as_planes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar, "check_integrity", lambda *_: True)
    _write(tmp_path / "cifar-10-batches-py")
    dataset = load(SPEC, tmp_path)
    assert dataset.train_images.shape == (10, 3, 32, 32)
    assert dataset.train_images[3, :, 0, 0].tolist() == [14, 15, 16]
    assert dataset.train_images[3].min(axis=(1, 2)).tolist() == [14, 15, 16]
    assert dataset.train_labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert dataset.test_images[0, :, 31, 31].tolist() == [51, 52, 53]
    assert dataset.test_labels.tolist() == [5, 9]
    assert dataset.classes == tuple(NAMES)


def test_missing_files_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(SPEC, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"cifar10: {tmp_path}/cifar-10-batches-py is missing or damaged (")
    assert message.endswith(
        "Unpack cifar-10-python.tar.gz there, name its parent folder with --data-root, "
        "or set data.options.download: true."
    )


def test_damaged_files_are_refused_by_their_checksums(tmp_path: Path) -> None:
    _write(tmp_path / "cifar-10-batches-py")
    with pytest.raises(DataError, match="missing or damaged"):
        load(SPEC, tmp_path)

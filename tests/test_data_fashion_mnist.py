"""Fashion-MNIST from made files in each place where it is looked for, and from Debian's package."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from msanet_bench.data import fashion_mnist, load
from msanet_bench.errors import DataError
from msanet_bench.spec import DataSpec

SPEC = DataSpec(dataset="fashion_mnist")


def _write(folder: Path, *, zipped: bool, pixel: int = 0, train_labels: bytes = bytes(range(10))) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, labels in (("train", train_labels), ("t10k", bytes(range(5)))):
        count = 10 if part == "train" else 5
        images = struct.pack(">4I", 0x803, count, 28, 28) + bytes([pixel]) * (count * 784)
        label_file = struct.pack(">2I", 0x801, len(labels)) + labels
        for kind, content in (("images-idx3", images), ("labels-idx1", label_file)):
            name = f"{part}-{kind}-ubyte"
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)


@pytest.fixture(autouse=True)
def _no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if "installed" not in request.node.name:
        monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "package")


@pytest.mark.parametrize("place", ["root/FashionMNIST/raw", "root", "package"])
@pytest.mark.parametrize("zipped", [True, False])
def test_the_files_are_found_in_every_place(place: str, zipped: bool, tmp_path: Path) -> None:  # noqa: FBT001
    _write(tmp_path / place, zipped=zipped)
    dataset = load(SPEC, tmp_path / "root")
    assert dataset.train_images.shape == (10, 1, 28, 28)
    assert dataset.test_images.shape == (5, 1, 28, 28)
    assert dataset.train_labels.tolist() == list(range(10))
    assert dataset.test_labels.dtype == np.int64
    assert dataset.classes[9] == "Ankle boot"


def test_the_data_folder_goes_before_the_package(tmp_path: Path) -> None:
    _write(tmp_path / "root", zipped=True, pixel=1)
    _write(tmp_path / "package", zipped=True, pixel=2)
    assert load(SPEC, tmp_path / "root").train_images.max() == 1


def test_a_folder_with_three_of_the_files_is_passed_over(tmp_path: Path) -> None:
    _write(tmp_path / "root", zipped=True, pixel=1)
    (tmp_path / "root" / "t10k-labels-idx1-ubyte.gz").unlink()
    _write(tmp_path / "package", zipped=True, pixel=2)
    assert load(SPEC, tmp_path / "root").train_images.max() == 2


def test_missing_files_say_where_they_were_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(SPEC, tmp_path / "root")
    assert str(caught.value) == (
        f"fashion_mnist: no folder has its four files. Looked in: {tmp_path}/root/FashionMNIST/raw, "
        f"{tmp_path}/root, {tmp_path}/package. Install Debian's package dataset-fashion-mnist, "
        "name their folder with --data-root, or set data.options.download: true."
    )


@pytest.mark.parametrize("labels", [bytes(range(9)), bytes([10] * 10)], ids=["one missing", "too large"])
def test_labels_that_do_not_fit_the_images_are_refused(labels: bytes, tmp_path: Path) -> None:
    _write(tmp_path, zipped=True, train_labels=labels)
    with pytest.raises(DataError, match=r"train-labels.*must hold one label below 10 for each image"):
        load(SPEC, tmp_path)


def _download_made(root: str, *, download: bool) -> None:
    assert download
    _write(Path(root) / "FashionMNIST" / "raw", zipped=True)


def _download_fails(root: str, *, download: bool) -> None:
    raise RuntimeError(f"Error downloading to {root}, {download}")


def test_a_download_happens_only_when_it_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchvision.datasets.FashionMNIST", _download_made)
    with pytest.raises(DataError):
        load(SPEC, tmp_path)
    assert not any(tmp_path.iterdir())
    dataset = load(DataSpec(dataset="fashion_mnist", options={"download": True}), tmp_path)
    assert len(dataset.train_images) == 10


def test_a_failed_download_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchvision.datasets.FashionMNIST", _download_fails)
    with pytest.raises(DataError, match=r"the download into .* failed \(Error downloading"):
        load(DataSpec(dataset="fashion_mnist", options={"download": True}), tmp_path)


def test_the_installed_package_has_its_published_counts(tmp_path: Path) -> None:
    if not fashion_mnist.DEBIAN_FOLDER.is_dir():
        pytest.skip("NOT CHECKED: the real Fashion-MNIST files; install Debian's dataset-fashion-mnist")
    dataset = load(SPEC, tmp_path)
    assert dataset.train_images.shape == (60_000, 1, 28, 28)
    assert dataset.test_images.shape == (10_000, 1, 28, 28)
    assert np.bincount(dataset.train_labels).tolist() == [6000] * 10
    assert np.bincount(dataset.test_labels).tolist() == [1000] * 10
    # mean and deviation of the training pixels, as published with many training scripts
    assert dataset.train_images.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert dataset.train_images.std() / 255 == pytest.approx(0.3530, abs=5e-5)

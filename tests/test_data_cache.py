"""The cache of decoded images: whole or absent, one for all builders, without what cannot be decoded."""

from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msanet_bench.data.cache import Corrupt, build_cache, corrupt_images
from msanet_bench.data.listing import list_tree
from msanet_bench.errors import DataError


def _write(folder: Path) -> Path:
    for name in ("train/cat/a.png", "train/dog/b.jpg", "test/cat/a.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((20, 16), 60).convert("RGB").save(folder / name)
    return folder


def _break(folder: Path) -> None:
    photo = folder / "train/dog/b.jpg"
    photo.write_bytes(photo.read_bytes()[:700])
    (folder / "train/dog/c.png").write_text("no image")


def _bytes(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


def test_broken_images_have_no_row_and_are_named_with_the_reason(tmp_path: Path) -> None:
    folder = _write(tmp_path / "images")
    place = tmp_path / "cache" / "abc"
    _break(folder)
    build_cache(place, list_tree(folder), 8)
    first, second = corrupt_images(place)
    assert (first.name, second) == ("train/dog/b.jpg", Corrupt("train/dog/c.png", "no known image format"))
    assert first.reason.startswith("image file is truncated")


def test_what_is_left_is_the_cache_of_a_folder_without_them(tmp_path: Path) -> None:
    """Of 100 images, so that rows move over several blocks; the same bytes, headers and digest included."""
    folder = _write(tmp_path / "images")
    for number in range(100):
        Image.effect_noise((9, 9), 60).convert("RGB").save(folder / f"train/cat/{number:02}.png")
    broken = [folder / f"train/cat/{number:02}.png" for number in (0, 7, 63, 64, 65, 99)]
    for path in broken:
        path.write_text("no image")
    build_cache(tmp_path / "left", list_tree(folder), 8)
    assert len(corrupt_images(tmp_path / "left")) == 6
    for path in broken:
        path.unlink()
    build_cache(tmp_path / "whole", list_tree(folder), 8)
    left = _bytes(tmp_path / "left")
    assert left.pop("corrupt.json")
    assert left == _bytes(tmp_path / "whole")
    assert np.load(tmp_path / "left" / "train.npy", mmap_mode="r").shape == (96, 3, 8, 8)


def test_caches_of_earlier_versions_have_every_image(tmp_path: Path) -> None:
    build_cache(tmp_path / "abc", list_tree(_write(tmp_path / "images")), 8)
    assert not (tmp_path / "abc" / "corrupt.json").exists()
    assert corrupt_images(tmp_path / "abc") == ()


def test_what_a_killed_builder_left_goes_when_the_next_one_begins(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for name in ("0123456789abcdef.k1ll3d", "fedcba9876543210", "0123.txt"):
        (cache / name).mkdir(parents=True)
    build_cache(cache / "0123456789abcdef", list_tree(_write(tmp_path / "images")), 8)
    assert sorted(path.name for path in cache.iterdir()) == [
        "0123.txt",
        "0123456789abcdef",
        "fedcba9876543210",
    ]


def test_the_second_builder_leaves_the_first_ones_cache(tmp_path: Path) -> None:
    listing = list_tree(_write(tmp_path / "images"))
    place = tmp_path / "cache" / "abc"
    build_cache(place, listing, 8)
    before = (place / "train.npy").stat().st_ino
    build_cache(place, listing, 8)
    assert (place / "train.npy").stat().st_ino == before
    assert [path.name for path in place.parent.iterdir()] == ["abc"]


def _build(folder: Path, place: Path) -> str:
    build_cache(place, list_tree(folder), 8)
    return (place / "digest").read_text(encoding="ascii")


def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    folder = _write(tmp_path / "images")
    place = tmp_path / "cache" / "abc"
    with get_context("spawn").Pool(2) as pool:
        first, second = pool.starmap(_build, [(folder, place)] * 2)
    assert first == second
    assert sorted(path.name for path in place.iterdir()) == ["digest", "test.npy", "train.npy"]
    assert [path.name for path in place.parent.iterdir()] == ["abc"]


def test_a_full_disk_is_an_error_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("msanet_bench.data.cache.os.posix_fallocate", full)
    with pytest.raises(
        DataError, match=r"abc: the image cache cannot be written \(No space left on device\)"
    ):
        build_cache(tmp_path / "cache" / "abc", list_tree(_write(tmp_path / "images")), 8)
    assert list((tmp_path / "cache").iterdir()) == []

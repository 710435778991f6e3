"""The cache of decoded images: whole or absent, one for all builders, every broken image named."""

from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msanet_bench.data.cache import build_cache, decode
from msanet_bench.data.listing import list_tree
from msanet_bench.errors import DataError


def _write(folder: Path) -> Path:
    for name in ("train/cat/a.png", "train/dog/b.jpg", "test/cat/a.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((20, 16), 60).convert("RGB").save(folder / name)
    return folder


def _break(folder: Path) -> None:
    photo = folder / "train/dog/b.jpg"
    photo.write_bytes(photo.read_bytes()[:200])
    (folder / "test/cat/a.png").write_text("no image")


def test_every_broken_image_is_named_and_nothing_stays(tmp_path: Path) -> None:
    folder = _write(tmp_path / "images")
    _break(folder)
    with pytest.raises(DataError) as caught:
        build_cache(tmp_path / "cache" / "abc", list_tree(folder), 8)
    first, *named = str(caught.value).splitlines()
    assert first == f"{folder}: 2 of 3 images cannot be decoded. Mend or remove:"
    assert [line.partition(" ")[0] for line in named] == ["train/dog/b.jpg", "test/cat/a.png"]
    assert list((tmp_path / "cache").iterdir()) == []


def test_of_many_broken_images_twenty_are_named_and_all_are_counted(tmp_path: Path) -> None:
    folder = _write(tmp_path / "images")
    for number in range(23):
        (folder / f"train/cat/{number}.png").write_text("no image")
    with pytest.raises(DataError) as caught:
        build_cache(tmp_path / "abc", list_tree(folder), 8)
    first, *named = str(caught.value).splitlines()
    assert "23 of 26 images" in first
    assert len(named) == 21
    assert named[-1] == "and 3 more"


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


def test_the_centre_is_kept_and_the_sides_are_cut(tmp_path: Path) -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 4:12] = (10, 20, 30)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    decoded = decode(tmp_path / "wide.png", 8)
    assert decoded.shape == (3, 8, 8)
    assert decoded.min(axis=(1, 2)).tolist() == decoded.max(axis=(1, 2)).tolist() == [10, 20, 30]


def test_grey_images_and_palettes_become_colour(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 7).save(tmp_path / "grey.png")
    Image.new("RGB", (8, 8), (1, 2, 3)).convert("P", palette=Image.Palette.ADAPTIVE).save(
        tmp_path / "few.gif"
    )
    assert decode(tmp_path / "grey.png", 8)[:, 0, 0].tolist() == [7, 7, 7]
    assert decode(tmp_path / "few.gif", 8)[:, 0, 0].tolist() == [1, 2, 3]


def test_sixteen_bit_images_are_refused_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 1000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match="must have 8 bits a channel, but got mode I"):
        decode(tmp_path / "deep.png", 8)

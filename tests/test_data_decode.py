"""What becomes of each kind of image file; what is no image, and why."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msanet_bench.data.decode import UNREADABLE, decode, read_image, reason
from msanet_bench.errors import DataError

EXIF_ORIENTATION = 0x0112


def _first_pixel(path: Path) -> list[int]:
    pixel: list[int] = decode(path, 8)[:, 0, 0].tolist()
    return pixel


def _why_not(path: Path) -> str:
    with pytest.raises(UNREADABLE) as caught:
        decode(path, 8)
    return reason(path, caught.value)


def test_the_centre_is_kept_and_the_sides_are_cut(tmp_path: Path) -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 4:12] = (10, 20, 30)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    decoded = decode(tmp_path / "wide.png", 8)
    assert decoded.shape == (3, 8, 8)
    assert decoded.min(axis=(1, 2)).tolist() == decoded.max(axis=(1, 2)).tolist() == [10, 20, 30]


def test_grey_and_black_and_white_become_colour(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 7).save(tmp_path / "grey.png")
    Image.new("1", (8, 8), 1).save(tmp_path / "white.png")
    assert _first_pixel(tmp_path / "grey.png") == [7, 7, 7]
    assert _first_pixel(tmp_path / "white.png") == [255, 255, 255]


def test_a_palette_is_looked_up_and_its_transparency_dropped_without_a_warning(tmp_path: Path) -> None:
    palette = Image.new("RGB", (8, 8), (1, 2, 3)).convert("P", palette=Image.Palette.ADAPTIVE)
    palette.save(tmp_path / "plain.gif")
    palette.save(tmp_path / "clear.png", transparency=b"\x00\x80")
    assert _first_pixel(tmp_path / "plain.gif") == _first_pixel(tmp_path / "clear.png") == [1, 2, 3]


def test_transparency_is_dropped(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (1, 2, 3, 0)).save(tmp_path / "clear.png")
    assert _first_pixel(tmp_path / "clear.png") == [1, 2, 3]


def test_cmyk_becomes_colour(tmp_path: Path) -> None:
    # by hand: red is 255 - cyan where there is no black; TIFF keeps the numbers, JPEG nearly
    Image.new("CMYK", (8, 8), (55, 155, 255, 0)).save(tmp_path / "ink.tif")
    Image.new("CMYK", (8, 8), (55, 155, 255, 0)).save(tmp_path / "ink.jpg", quality=100)
    assert _first_pixel(tmp_path / "ink.tif") == [200, 100, 0]
    assert _first_pixel(tmp_path / "ink.jpg") == pytest.approx([200, 100, 0], abs=3)


def test_an_orientation_that_exif_tells_is_not_applied(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = 200
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as image:
        assert image.getexif()[EXIF_ORIENTATION] == 3
    assert decode(tmp_path / "turned.png", 8)[0, :, 0].tolist() == [200] * 4 + [0] * 4


def test_the_first_image_of_an_animation_is_taken(tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (8, 8), (level, level, level)) for level in (10, 90))
    first.save(tmp_path / "film.gif", save_all=True, append_images=[second])
    with Image.open(tmp_path / "film.gif") as image:
        assert image.n_frames == 2  # type: ignore[attr-defined]
    assert _first_pixel(tmp_path / "film.gif") == [10, 10, 10]


def test_sixteen_bits_of_grey_are_refused_and_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 1000, np.uint16)).save(tmp_path / "deep.png")
    assert _why_not(tmp_path / "deep.png") == "must have 8 bits a channel, but got mode I;16"


def test_of_sixteen_bits_a_colour_the_higher_eight_are_taken(tmp_path: Path) -> None:
    (tmp_path / "deep.png").write_bytes(_png_of_16_bits(8, (0x0A64, 0x1464, 0x1E64)))
    assert _first_pixel(tmp_path / "deep.png") == [0x0A, 0x14, 0x1E]


def test_what_is_no_image_says_why(tmp_path: Path) -> None:
    Image.effect_noise((64, 64), 60).convert("RGB").save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no image")
    assert _why_not(tmp_path / "half.jpg").startswith("image file is truncated")
    assert _why_not(tmp_path / "empty.jpg") == "empty file"
    assert _why_not(tmp_path / "text.jpg") == "no known image format"
    assert _why_not(tmp_path / "gone.jpg") == "No such file or directory"


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    assert reason(tmp_path / "a.png", PermissionError(13, "Permission denied")) == "Permission denied"


def test_one_image_is_read_in_grey_or_colour_and_no_other_way(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", (1, 4, 4)).tolist() == np.full((1, 4, 4), 9).tolist()
    with pytest.raises(DataError, match="has 1 or 3 channels, but 4 are needed"):
        read_image(tmp_path / "a.png", (4, 8, 8))


def _png_of_16_bits(size: int, colour: tuple[int, int, int]) -> bytes:
    """A PNG by hand (W3C PNG, section 11), since Pillow writes none of this kind."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", size, size, 16, 2, 0, 0, 0)
    line = b"\0" + struct.pack(">3H", *colour) * size
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(line * size)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body

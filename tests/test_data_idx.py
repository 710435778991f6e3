"""The idx reader against files written byte by byte."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from msanet_bench.data.idx import read_idx
from msanet_bench.errors import DataError

# two images of 2 x 3, by hand
IMAGES = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(12))


@pytest.mark.parametrize(("name", "write"), [("plain", bytes), ("zipped.gz", gzip.compress)])
def test_an_idx_file_is_read_zipped_or_not(
    name: str, write: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(write(IMAGES))
    images = read_idx(tmp_path / name, 3)
    assert np.array_equal(images, np.arange(12, dtype=np.uint8).reshape(2, 2, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (IMAGES[:-1], "must hold 12 bytes for its shape (2, 2, 3), but holds 11. Fetch the file again."),
        (IMAGES + b"x", "must hold 12 bytes for its shape (2, 2, 3), but holds 13. Fetch the file again."),
        (
            b"\0\0\x08\x01" + IMAGES[4:],
            "must begin with the bytes 00000803 and 3 sizes, but begins with 00000801 and has 28 bytes.",
        ),
        (
            IMAGES[:9],
            "must begin with the bytes 00000803 and 3 sizes, but begins with 00000803 and has 9 bytes.",
        ),
        (b"", "must begin with the bytes 00000803 and 3 sizes, but begins with  and has 0 bytes."),
    ],
    ids=["short", "long", "labels", "cut header", "empty"],
)
def test_a_damaged_idx_file_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "images"
    file.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_idx(file, 3)
    assert str(caught.value) == f"{file}: {message}"


def test_a_cut_or_false_gzip_file_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(IMAGES)
    for content in (whole[:-9], IMAGES, whole[:12] + b"\xff\xff\xff" + whole[15:]):
        file = tmp_path / "images.gz"
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"images\.gz: cannot be read \("):
            read_idx(file, 3)

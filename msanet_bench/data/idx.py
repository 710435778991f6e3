"""The idx format of MNIST and its successors (LeCun et al. 1998, http://yann.lecun.com/exdb/mnist).

A file is a magic number (two zero bytes, type 8 for unsigned bytes, the number of dimensions), each
dimension as a big-endian 32-bit number, then the bytes.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msanet_bench.errors import DataError

_UNSIGNED_BYTES = 8


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of an idx file of unsigned bytes, gzipped when its name ends in `.gz`.

    Raises:
        DataError: the file is damaged or holds something else.
    """
    content = _read_bytes(path)
    header = 4 + 4 * dimensions
    expected = bytes((0, 0, _UNSIGNED_BYTES, dimensions))
    if content[:4] != expected or len(content) < header:
        raise DataError(
            f"{path}: must begin with the bytes {expected.hex()} and {dimensions} sizes, "
            f"but begins with {content[:4].hex()} and has {len(content)} bytes."
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise DataError(
            f"{path}: must hold {math.prod(shape)} bytes for its shape {shape}, "
            f"but holds {len(content) - header}. Fetch the file again."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}). Fetch the file again.") from error

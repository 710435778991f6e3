"""Random streams: one seed becomes independent numbers for split, order, augmentation, init and dropout.

A stream depends on the seed, the replicate and its own name, never on the variant: variants of one seed
share every stream, which is what makes them comparable in pairs.
"""

import hashlib
from typing import Literal

Stream = Literal["split", "order", "augmentation", "init", "dropout"]


def stream_seed(seed: int, stream: Stream, *, replicate: int = 0) -> int:
    """The seed of one stream of one run."""
    return derive_seed(seed, replicate, stream)


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed that depends on every part; equal parts give equal seeds on every machine."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1

"""Streams are independent numbers that never change."""

import hashlib
from typing import get_args

from msanet_bench.streams import Stream, derive_seed, stream_seed


def test_a_seed_is_the_start_of_the_digest_of_its_parts() -> None:
    number = int(hashlib.sha256(b"3\x1f0\x1fsplit").hexdigest()[:16], 16) // 2
    assert derive_seed(3, 0, "split") == stream_seed(3, "split") == number


def test_every_stream_seed_and_replicate_has_its_own_number() -> None:
    streams: tuple[Stream, ...] = get_args(Stream)
    numbers = {
        stream_seed(seed, stream, replicate=replicate)
        for seed in range(20)
        for stream in streams
        for replicate in range(3)
    }
    assert len(streams) == 5
    assert len(numbers) == 20 * 5 * 3
    assert all(0 <= number < 2**63 for number in numbers)


def test_parts_do_not_run_together() -> None:
    assert derive_seed(1, 23) != derive_seed(12, 3)

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from msanet_bench.session.rules import Schedule, partition


@pytest.mark.parametrize(
    ("rounds", "sizes"), [(160, [10] * 16), (25, [10, 10, 5]), (3, [3]), (10, [10]), (0, [])]
)
def test_super_rounds_add_up_to_the_rounds(rounds: int, sizes: list[int]) -> None:
    assert list(Schedule(rounds, None, 0).super_rounds()) == sizes


@pytest.mark.parametrize(
    ("members", "size", "blocks"), [(33, 16, 3), (16, 16, 1), (17, 16, 2), (1, 8, 1), (0, 8, 1)]
)
def test_blocks_hold_everybody_once_and_are_as_equal_as_can_be(members: int, size: int, blocks: int) -> None:
    found = partition(range(members), size, np.random.default_rng(0))
    assert sorted(member for block in found for member in block) == list(range(members))
    assert len(found) == blocks
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert max(map(len, found)) <= size


def test_over_super_rounds_everybody_meets_everybody() -> None:
    source = np.random.default_rng(0)
    met: Counter[tuple[int, int]] = Counter()
    for _ in range(40):
        for block in partition(range(24), 8, source):
            met.update(combinations(sorted(block), 2))
    assert len(met) == 24 * 23 / 2

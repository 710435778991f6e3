"""Shards: whole seeds, each in exactly one share, and nothing else of a cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msanet_bench.errors import BenchError
from msanet_bench.shard import Shard, parse_shard, shard_words


@pytest.mark.parametrize(
    ("text", "shard"),
    [("1/1", Shard(1, 1)), ("2/3", Shard(2, 3)), ("10/12", Shard(10, 12)), ("7/999999", Shard(7, 999999))],
)
def test_a_shard_is_read(text: str, shard: Shard) -> None:
    assert parse_shard(text) == shard
    assert Shard.from_json(shard.to_json()) == shard


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "0/3",
        "4/3",
        "-1/3",
        "1/0",
        "1/3/5",
        " 1/3",
        "1/3\n",
        "1 / 3",
        "01/3",
        "1.0/3",
        "a/b",
        "\u0661/3",
        "1/" + "9" * 5000,
    ],
)
def test_nonsense_is_one_message(text: str) -> None:
    with pytest.raises(BenchError) as caught:
        parse_shard(text)
    assert str(caught.value) == (
        "--shard: must be the number of a shard, from 1, and how many there are, such as 2/3, "
        f"but got {text!r}."
    )


def test_shares_worked_out_by_hand() -> None:
    seeds = (5, 3, 8, 1, 9)
    assert [Shard(index, 3).seeds(seeds) for index in (1, 2, 3)] == [(5, 1), (3, 9), (8,)]
    assert [Shard(index, 4).seeds((0, 1)) for index in (1, 2, 3, 4)] == [(0,), (1,), (), ()]


@given(st.lists(st.integers(0, 99), unique=True, max_size=30), st.integers(1, 40))
def test_every_seed_is_in_one_share_and_shares_are_even(seeds: list[int], count: int) -> None:
    shares = [Shard(index, count).seeds(seeds) for index in range(1, count + 1)]
    assert sorted(seed for share in shares for seed in share) == sorted(seeds)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=30), st.integers(1, 9))
def test_a_seed_that_is_added_moves_no_other(seeds: list[int], count: int) -> None:
    for index in range(1, count + 1):
        before = Shard(index, count).seeds(seeds[:-1])
        assert Shard(index, count).seeds(seeds)[: len(before)] == before


def test_words_say_whose_the_other_cells_are() -> None:
    assert shard_words(Shard(2, 3), (5, 3, 8, 1, 9)) == (
        "shard 2 of 3: it trains 2 of 5 seeds (3, 9); cells of the others belong to other shards."
    )
    assert shard_words(Shard(3, 3), (5, 3)) == (
        "shard 3 of 3: it trains nothing, since there are but 2 seeds."
    )


@pytest.mark.parametrize("fields", [{}, {"index": 3, "count": 2}, {"index": "x", "count": 2}, [], 7])
def test_what_is_no_shard_in_a_manifest_is_refused(fields: object) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Shard.from_json(fields)  # type: ignore[arg-type]

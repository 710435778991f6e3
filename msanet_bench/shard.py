"""A shard: the share of an experiment's seeds that one of several machines trains."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msanet_bench.errors import BenchError

_FORM = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` shards, from 1; nothing of it enters a cell or its record."""

    index: int
    count: int

    def seeds(self, planned: Sequence[int]) -> tuple[int, ...]:
        """Whole seeds, so that all variants of a seed are trained on one machine and pairs stay pairs.

        Every count-th one: shares differ by one seed at most, and a seed that is added at the end moves no
        other. Empty where there are more shards than seeds.
        """
        return tuple(planned[self.index - 1 :: self.count])

    def to_json(self) -> dict[str, int]:
        return {"index": self.index, "count": self.count}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Shard":
        """The shard that a manifest names.

        Raises:
            ValueError, KeyError, TypeError: it names none.
        """
        shard = cls(int(fields["index"]), int(fields["count"]))
        if not 1 <= shard.index <= shard.count:
            raise ValueError(f"no shard: {dict(fields)!r}")
        return shard

    def __str__(self) -> str:
        return f"shard {self.index} of {self.count}"


def parse_shard(text: str) -> Shard:
    """`2/3` as the second of three shards.

    Raises:
        BenchError: the text names no shard.
    """
    match = _FORM.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise BenchError(
            "--shard: must be the number of a shard, from 1, and how many there are, such as 2/3, "
            f"but got {text!r}."
        )
    return Shard(int(match[1]), int(match[2]))


class _HasSeed(Protocol):
    @property
    def seed(self) -> int: ...


def planned_seeds(cells: Iterable[_HasSeed]) -> list[int]:
    """The seeds of a plan in its order, those that were added for some variants too."""
    return list(dict.fromkeys(cell.seed for cell in cells))


def shard_words(shard: Shard, planned: Sequence[int]) -> str:
    """What a reader of a shard's results must know: which cells are not its own."""
    seeds = shard.seeds(planned)
    if not seeds:
        return f"{shard}: it trains nothing, since there are but {len(planned)} seeds."
    named = ", ".join(map(str, seeds))
    return (
        f"{shard}: it trains {len(seeds)} of {len(planned)} seeds ({named}); cells of the others belong to "
        "other shards."
    )

"""How a session is laid out: how often whom, in which order, and when it is enough."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from numpy.random import Generator

T = TypeVar("T")

ROUNDS_PER_SUPER_ROUND = 10
# Rounds after which a contender may be done; several looks at the data, so each asks for more than the last.
LOOKS = (40, 60, 80, 120)
INTERIM_CONFIDENCE, FINAL_CONFIDENCE = 0.99, 0.95


@dataclass(frozen=True, slots=True)
class Rules:
    """How one kind of device is measured.

    Attributes:
        discards: Windows at the start of each visit that are not counted.
        windows: Windows of a visit that are; their median is the datum of the visit.
        stream_calls: Calls in a row without waiting, for the throughput; 0 where a call ends when it returns.
        shortest_window: Seconds, so that what an event resolves is a thousandth of a window.
        block: How many contenders take turns, the anchor apart.
        resident: How many contenders are kept ready.
        half_width: Of the interval of a ratio, as a share of it, that is precise enough.
        warm_seconds: The longest warm-up of a contender.
        anchor_drift: How far the anchor's median in a block may be off before the block is taken once more;
            None takes every block once.
    """

    discards: int
    windows: int
    stream_calls: int
    shortest_window: float
    block: int
    resident: int
    half_width: float
    warm_seconds: float
    anchor_drift: float | None


RULES = {
    "cpu": Rules(
        discards=0,
        windows=1,
        stream_calls=0,
        shortest_window=0.0,
        block=16,
        resident=128,
        half_width=0.02,
        warm_seconds=1.0,
        # With 0.15, replays of two recorded traces took 23 % more calls and ranked no better (tau 0.91 and
        # 0.88 instead of 0.90 and 0.88): what slows a processor slows everybody in a round.
        anchor_drift=None,
    ),
    "cuda": Rules(
        discards=1,
        windows=3,
        stream_calls=10,
        shortest_window=5e-4,
        block=16,
        resident=17,
        half_width=0.01,
        warm_seconds=5.0,
        anchor_drift=0.05,
    ),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """How much is measured at most.

    Attributes:
        rounds: Visits of each contender.
        seconds: After which no other super-round begins; None takes the time it takes.
        seed: Decides who shares a block and the order within each round.
    """

    rounds: int
    seconds: float | None
    seed: int

    def super_rounds(self) -> Iterator[int]:
        """The rounds of each super-round."""
        for done in range(0, self.rounds, ROUNDS_PER_SUPER_ROUND):
            yield min(ROUNDS_PER_SUPER_ROUND, self.rounds - done)


def partition(members: Sequence[T], size: int, source: Generator) -> list[list[T]]:
    """The members in random blocks of at most `size`, as equal as can be; none has one block of nobody.

    Drawn anew in every super-round, since contenders that never share a block are compared through the
    anchor alone.
    """
    shuffled = [members[place] for place in source.permutation(len(members))]
    blocks = max(1, -(-len(members) // size))
    return [shuffled[number::blocks] for number in range(blocks)]

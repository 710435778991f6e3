"""What a sweep says while it runs."""

from dataclasses import dataclass
from typing import TypeAlias

from msanet_bench.journal import Attempt


@dataclass(frozen=True, slots=True)
class Started:
    """The plan is made; `done` of its cells have a record already."""

    variants: int
    seeds: int
    cells: int
    done: int
    workers: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """A cell ended, well or not."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Phase:
    """Something other than training begins."""

    name: str


@dataclass(frozen=True, slots=True)
class Ended:
    """All that was planned has a record."""

    cells: int
    not_ok: int


Event: TypeAlias = Started | Finished | Phase | Ended

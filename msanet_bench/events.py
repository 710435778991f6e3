"""What a sweep says while it runs."""

from dataclasses import dataclass
from typing import TypeAlias

from msanet_bench.journal import Attempt
from msanet_bench.records import Status


@dataclass(frozen=True, slots=True)
class Started:
    """The plan is made; `done` of its cells have a record already; `tuning` of them only tune.

    Attributes:
        untuned: Those that show what tuned variants are without.
    """

    variants: int
    seeds: int
    cells: int
    done: int
    workers: int
    notes: tuple[str, ...]
    tuning: int = 0
    untuned: int = 0


@dataclass(frozen=True, slots=True)
class Tuned:
    """What each variant is trained with is known; so many further cells show what it is without."""

    further: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A cell ended, well or not."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class FirstStepFailed:
    """One step of a variant was tried before training and did not go well: its cells will not either."""

    variant: str
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Retried:
    """An attempt that ended badly through no fault that must come again; its cell runs once more."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Stopped:
    """No further cells are begun, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Phase:
    """Something other than training begins."""

    name: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing is left to do in this run.

    Attributes:
        left: Cells of the plan without a record: what a deadline or too many failures kept from beginning.
        unchosen: How many of those are of variants that were not to be trained now.
    """

    cells: int
    not_ok: int
    left: int = 0
    unchosen: int = 0


Event: TypeAlias = Started | Tuned | FirstStepFailed | Finished | Retried | Stopped | Phase | Ended

"""The tables of latency of a results folder: `latency.csv` and those beside it as frozen values."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from msanet_bench.errors import ResultsError

T = TypeVar("T")

_TIMINGS, _SESSIONS, _ABOUT = "latency.csv", "latency_sessions.csv", "session.json"
# Of two sides that are compared, the one that the results are of.
_SIDE = "head"
_MEASURED = ("ok", "ci_not_met")
# Kendall's tau; below, the ranks are not reproducible.
LEAST_TAU = 0.8
_OLD = "not measured (an older latency.csv)"


@dataclass(frozen=True, slots=True)
class Condition:
    """What all latencies that may be compared share."""

    device: str
    batch: int
    precision: str
    cache: str

    @property
    def family(self) -> str:
        """`cuda` of `cuda:0`."""
        return self.device.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Timing:
    """One row of `latency.csv` in seconds; None where nothing was measured, and `status` says why.

    Attributes:
        role: `anchor` for whom all others are compared with.
        latency: The ratio times the anchor's median; the percentiles are of the visits as they were.
        rank_low: With `rank_high` the ranks it may have among all rows of its condition.
        status: `ok`, or `ci_not_met` where the interval of the ratio is wider than asked for.
    """

    variant: str
    role: str
    mode: str
    memory_format: str
    condition: Condition
    threads: int | None
    clock: str
    n: int
    latency: float | None
    p10: float | None
    p50: float | None
    p90: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    rank_low: int | None
    rank_high: int | None
    images_per_s: float | None
    anchor: str
    status: str

    @property
    def is_measured(self) -> bool:
        return self.status in _MEASURED and self.latency is not None

    @property
    def has_interval(self) -> bool:
        return self.ratio_low is not None and self.ratio_high is not None


@dataclass(frozen=True, slots=True)
class Quality:
    """What the session of one condition says of itself.

    Attributes:
        tau: Kendall's tau between the rankings of the odd and of the even super-rounds; None of one alone.
        drift: Range of the anchor's medians over the super-rounds, as a share of their median; None of one.
        rejected: Share of the timed windows that do not count.
        twins: Pairs of one network under two names.
        told_apart: How many of them have a 95 % interval without 1; None after one super-round.
    """

    condition: Condition
    threads: int
    super_rounds: int
    rounds: int
    tau: float | None
    drift: float | None
    rejected: float
    twins: int
    told_apart: int | None

    @property
    def is_alone(self) -> bool:
        """Whether there is one super-round, so that neither ranks nor twins can be compared with chance."""
        return self.super_rounds == 1

    @property
    def is_unsteady(self) -> bool:
        """Whether its two halves rank the networks too differently."""
        return self.tau is not None and self.tau < LEAST_TAU


@dataclass(frozen=True, slots=True)
class Latencies:
    """What a results folder knows of latency.

    Attributes:
        timings: Without the twins, which are the session's check on itself and no variants.
        sessions: One for each condition that was measured.
        notes: What a session noted of its condition.
        missing: Why there are no timings at all; empty where there are some.
    """

    timings: tuple[Timing, ...] = ()
    sessions: tuple[Quality, ...] = ()
    notes: Mapping[Condition, tuple[str, ...]] = field(default_factory=dict)
    missing: str = "not measured"

    @property
    def is_old(self) -> bool:
        """Whether the folder holds latencies of an older version, which are left out."""
        return self.missing == _OLD

    def session(self, condition: Condition) -> Quality | None:
        return next((session for session in self.sessions if session.condition == condition), None)


def read_latencies(results: Path) -> Latencies:
    """The latencies of a results folder; those of version 0.1, which were measured otherwise, are left out.

    Raises:
        ResultsError: a table is damaged.
    """
    file, of_sessions = results / _TIMINGS, results / _SESSIONS
    if not file.exists():
        return Latencies()
    rows = _read(file, dict)
    if rows and "latency_s" not in rows[0] and "p50_s" in rows[0]:
        return Latencies(missing=_OLD)
    timings = [timing for timing in _read(file, _timing) if timing.role != "twin"]
    return Latencies(
        timings=tuple(timings),
        sessions=tuple(_read(of_sessions, _quality)) if of_sessions.exists() else (),
        notes=_read_notes(results / _ABOUT),
        missing="",
    )


def _read(file: Path, value: Callable[[Mapping[str, str]], T]) -> list[T]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return [value(row) for row in csv.DictReader(lines) if row.get("side", _SIDE) == _SIDE]
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise ResultsError(f"{file}: not a table of latencies ({type(error).__name__}: {error}).") from error


def _read_notes(file: Path) -> Mapping[Condition, tuple[str, ...]]:
    if not file.exists():
        return {}
    try:
        conditions = json.loads(file.read_text(encoding="utf-8"))["conditions"]
        return {_condition(fields): tuple(fields["notes"]) for fields in conditions}
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{file}: not about a session ({type(error).__name__}: {error}).") from error


def _condition(row: Mapping[str, Any]) -> Condition:
    return Condition(row["device"], int(row["batch"]), row["precision"], row["cache"])


def _timing(row: Mapping[str, str]) -> Timing:
    return Timing(
        variant=row["variant"],
        role=row["role"],
        mode=row["mode"],
        memory_format=row["memory_format"],
        condition=_condition(row),
        threads=_whole(row["threads"]),
        clock=row["clock"],
        n=int(row["n"]),
        latency=_number(row["latency_s"]),
        p10=_number(row["p10_s"]),
        p50=_number(row["p50_s"]),
        p90=_number(row["p90_s"]),
        ratio=_number(row["ratio_to_anchor"]),
        ratio_low=_number(row["ratio_low"]),
        ratio_high=_number(row["ratio_high"]),
        rank_low=_whole(row["rank_low"]),
        rank_high=_whole(row["rank_high"]),
        images_per_s=_number(row["images_per_s"]),
        anchor=row["anchor"],
        status=row["status"],
    )


def _quality(row: Mapping[str, str]) -> Quality:
    super_rounds = int(row["super_rounds"])
    return Quality(
        condition=_condition(row),
        threads=int(row["threads"]),
        super_rounds=super_rounds,
        rounds=int(row["rounds"]),
        tau=_number(row["split_half_tau"]),
        drift=_number(row["drift"]),
        rejected=float(row["rejected"]),
        twins=int(row["twins"]),
        told_apart=_whole(row["twins_told_apart"]),
    )


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _number(text: str) -> float | None:
    return float(text) if text else None

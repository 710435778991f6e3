"""What a results folder says of latency, as far as two sessions can be compared. Loads no pandas."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from msanet_bench.errors import ResultsError

_TIMINGS, _SESSIONS, _ABOUT = "latency.csv", "latency_sessions.csv", "session.json"
_MEASURED = ("ok", "ci_not_met")


class Condition(NamedTuple):
    """What latencies that stand in one table share."""

    device: str
    batch: int
    precision: str
    cache: str
    mode: str
    memory_format: str

    @property
    def family(self) -> str:
        """`cuda` of `cuda:0`."""
        return self.device.partition(":")[0]

    @property
    def title(self) -> str:
        parts = f"{self.device}, batch {self.batch}, {self.precision}, {self.cache} caches, {self.mode}"
        return parts if self.memory_format == "contiguous" else f"{parts}, {self.memory_format}"


class Timing(NamedTuple):
    """One variant under one condition.

    Attributes:
        p50: Median of its visits in seconds; None where it was not measured or too seldom.
        reach: Half the interval of its ratio to the anchor, as a logarithm; 0 for the anchor itself.
        visits: How many of them count.
    """

    p50: float | None
    reach: float | None
    visits: int
    threads: str
    clock: str
    status: str


class Speed(NamedTuple):
    """How steady the session of one condition was: drift of its anchor over so many super-rounds."""

    drift: float | None
    super_rounds: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Session:
    """The latencies of a results folder.

    Attributes:
        timings: By condition and variant, without twins.
        speeds: By what a condition shares with those of other modes.
        about: What `session.json` says of the machine.
        identity: The same for two folders that hold the very same session.
        missing: Why there are no timings; "" where there are.
    """

    timings: Mapping[Condition, Mapping[str, Timing]] = field(default_factory=dict)
    speeds: Mapping[tuple[Any, ...], Speed] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    identity: str = ""
    missing: str = "not measured"

    def speed(self, condition: Condition) -> Speed | None:
        return self.speeds.get(condition[:4])


def read_session(results: Path) -> Session:
    """The latencies of a folder; those of version 0.1, which were measured otherwise, are left out.

    Raises:
        ResultsError: a table is damaged.
    """
    try:
        return _session(_text(results / _TIMINGS), _text(results / _SESSIONS), _text(results / _ABOUT))
    except (ValueError, KeyError, TypeError, csv.Error, ZeroDivisionError) as error:
        raise ResultsError(
            f"{results}: its latencies are damaged ({type(error).__name__}: {error})."
        ) from error


def _session(text: str, sessions: str, about: str) -> Session:
    if not text:
        return Session()
    rows = list(csv.DictReader(io.StringIO(text)))
    if rows and "latency_s" not in rows[0]:
        return Session(missing="of an older version, which measured otherwise")
    return Session(
        timings=_timings(row for row in rows if row["side"] == "head" and row["role"] != "twin"),
        speeds=_speeds(csv.DictReader(io.StringIO(sessions))),
        about=dict(json.loads(about)) if about else {},
        identity=text + about,
        missing="",
    )


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _timings(rows: Iterable[Mapping[str, str]]) -> dict[Condition, dict[str, Timing]]:
    found: dict[Condition, dict[str, Timing]] = {}
    for row in rows:
        condition = Condition(*_shared(row), row["mode"], row["memory_format"])
        found.setdefault(condition, {})[row["variant"]] = _timing(row)
    return found


def _timing(row: Mapping[str, str]) -> Timing:
    low, high = _number(row["ratio_low"]), _number(row["ratio_high"])
    is_measured = row["status"] in _MEASURED
    return Timing(
        p50=_number(row["p50_s"]) if is_measured else None,
        reach=None if low is None or high is None else math.log(high / low) / 2,
        visits=int(row["n"]),
        threads=row["threads"],
        clock=row["clock"],
        status="" if is_measured else row["status"],
    )


def _speeds(rows: Iterable[Mapping[str, str]]) -> dict[tuple[Any, ...], Speed]:
    return {
        _shared(row): Speed(_number(row["drift"]), int(row["super_rounds"]), int(row["rounds"]))
        for row in rows
    }


def _shared(row: Mapping[str, str]) -> tuple[str, int, str, str]:
    return row["device"], int(row["batch"]), row["precision"], row["cache"]


def _number(text: str) -> float | None:
    return float(text) if text else None

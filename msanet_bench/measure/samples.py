"""Timed windows, and the file that keeps every one of them. Loads no torch."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from msanet_bench.errors import ResultsError
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.records import replace_bytes
from msanet_bench.spec import LatencyMode

# anchor: whom all others are compared with; twin: a variant once more, under another name
Role: TypeAlias = Literal["anchor", "variant", "twin"]
# stream: many calls without waiting in between, for the throughput
Phase: TypeAlias = Literal["warmup", "discard", "measure", "stream"]

NO_CUDA = "not measured (no CUDA device)"


@dataclass(frozen=True, slots=True)
class Contender:
    """Who is timed.

    Attributes:
        side: Which of two experiments or checkouts the variant is of; `head` where there is one.
        mode: How the network is run.
    """

    side: str
    variant: str
    role: Role
    mode: LatencyMode
    memory_format: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What all contenders of a session share.

    Attributes:
        cache: Whether a call finds its data in the caches of the device.
        threads: Threads that one call may use on the host.
    """

    device: str
    batch: int
    precision: str
    cache: str
    threads: int


@dataclass(frozen=True, slots=True)
class Visit:
    """When a contender was called.

    Attributes:
        round: In its super-round, from 0; a warm-up has one round a window.
        block: Counted through the session, so one that was repeated has two numbers.
        position: Place in the order of the round, from 0.
    """

    phase: Phase
    super_round: int
    block: int
    round: int
    position: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed window.

    Attributes:
        clock: What `seconds` was read from.
        window: Place in its visit, from 0.
        start_ns: On the host's monotonic clock.
        seconds: Of one call, as a mean over the window's calls.
        host_seconds: The same until the host knew that it was done.
        calls: Calls in the window.
        rejected: The cause for which the window does not count; empty where it counts.
    """

    contender: Contender
    condition: Condition
    visit: Visit
    clock: str
    window: int
    start_ns: int
    seconds: float
    host_seconds: float
    calls: int
    rejected: str
    telemetry: Telemetry

    @property
    def counts(self) -> bool:
        """Whether the sample enters the tables of latency."""
        return self.visit.phase == "measure" and not self.rejected


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A contender without a number under one condition, and why."""

    contender: Contender
    condition: Condition
    status: str


@dataclass(frozen=True, slots=True)
class Session:
    """All that tables are made from.

    Attributes:
        digest: What was timed, how and on what; equal digests need not be measured twice.
        half_width: The half-width of a ratio's interval that a contender was to reach, by device.
        rounds: Visits of each contender at most; one with fewer was done at a look, or ran out of time.
        contenders: In the order of the plan: samples come in the order of the draws.
    """

    digest: str
    half_width: Mapping[str, float]
    rounds: int
    contenders: tuple[Contender, ...]
    unmeasured: tuple[Unmeasured, ...]
    samples: tuple[Sample, ...]


_METADATA = b"msanet_bench.session"
_COLUMNS = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    int | None: pa.int64(),
    float | None: pa.float64(),
}
_PARTS = {"contender": Contender, "condition": Condition, "visit": Visit, "telemetry": Telemetry}


def write_session(path: Path, session: Session) -> None:
    """Write a session as one Parquet file, whole or not at all.

    Raises:
        ResultsError: the disk refuses; the old file is as it was.
    """
    about = {
        "digest": session.digest,
        "half_width": dict(session.half_width),
        "rounds": session.rounds,
        "contenders": [asdict(contender) for contender in session.contenders],
        "unmeasured": [asdict(row) for row in session.unmeasured],
    }
    table = pa.Table.from_pylist([_row(sample) for sample in session.samples], _schema())
    content = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_METADATA: json.dumps(about, sort_keys=True)}), content)
    replace_bytes(path, content.getvalue())


def digest_of(path: Path) -> str | None:
    """What a file of samples says was timed; None when there is no such file, or it is of an older kind."""
    if not path.exists():
        return None
    try:
        about = json.loads((pq.read_schema(path).metadata or {}).get(_METADATA, b"{}"))
    except ValueError:  # an older version kept the bare digest there
        return None
    return str(about["digest"]) if isinstance(about, dict) and "digest" in about else None


def read_session(path: Path) -> Session:
    """The session of a file, its samples in their order.

    Raises:
        ResultsError: there is no such file, or it is no file of samples.
    """
    try:
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[_METADATA])
        return Session(
            digest=about["digest"],
            half_width=about["half_width"],
            rounds=about["rounds"],
            contenders=tuple(Contender(**row) for row in about["contenders"]),
            unmeasured=tuple(_unmeasured(row) for row in about["unmeasured"]),
            samples=tuple(map(_sample, table.to_pylist())),
        )
    except (OSError, pa.ArrowInvalid, TypeError, ValueError, KeyError) as error:
        raise ResultsError(
            f"{path}: no session can be read ({type(error).__name__}: {error}). Measure again with "
            "`msanet-bench latency`."
        ) from error


def _schema() -> pa.Schema:
    kinds = {name: kind for part in _PARTS.values() for name, kind in get_type_hints(part).items()}
    kinds |= {name: kind for name, kind in get_type_hints(Sample).items() if name not in _PARTS}
    return pa.schema([(name, _COLUMNS.get(kind, pa.string())) for name, kind in kinds.items()])


def _row(sample: Sample) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in asdict(sample).items():
        flat |= value if name in _PARTS else {name: value}
    return flat


def _sample(row: Mapping[str, Any]) -> Sample:
    parts = {name: _part(kind, row) for name, kind in _PARTS.items()}
    own = {field.name: row[field.name] for field in fields(Sample) if field.name not in _PARTS}
    return Sample(**parts, **own)


def _part(kind: type[Any], row: Mapping[str, Any]) -> Any:  # noqa: ANN401  # any of the parts
    return kind(**{field.name: row[field.name] for field in fields(kind)})


def _unmeasured(row: Mapping[str, Any]) -> Unmeasured:
    return Unmeasured(Contender(**row["contender"]), Condition(**row["condition"]), row["status"])

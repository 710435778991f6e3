"""Timed calls, and the file that keeps every one of them. Loads no torch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from msanet_bench.errors import ResultsError

Phase = Literal["warmup", "measure"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed call of one variant.

    Attributes:
        mode: How the network is run.
        cache: Whether the call finds its data in the caches of the device.
        threads: Threads that one call may use on the host.
        phase: Only `measure` enters the tables; the warm-up is kept to be looked at.
        round: Counted from 0 in each phase; a warm-up has one round a call.
        position: Place of the call in the order of its round, from 0.
        start_ns: On the host's monotonic clock.
    """

    variant: str
    device: str
    batch: int
    precision: str
    mode: str
    cache: str
    threads: int
    phase: Phase
    round: int
    position: int
    start_ns: int
    seconds: float


_SESSION = "msanet_bench.session"
_COLUMNS = {str: pa.string(), int: pa.int64(), float: pa.float64(), Phase: pa.string()}
_SCHEMA = pa.schema([(name, _COLUMNS[kind]) for name, kind in get_type_hints(Sample).items()])


def write_samples(path: Path, samples: Sequence[Sample], *, session: str = "") -> None:
    """Write samples as one Parquet file, whole or not at all; `session` says what was timed and how."""
    temporary = path.with_name(f".{path.name}.new")
    schema = _SCHEMA.with_metadata({_SESSION: session})
    pq.write_table(pa.Table.from_pylist([asdict(sample) for sample in samples], schema), temporary)
    temporary.replace(path)


def session_of(path: Path) -> str | None:
    """What a file of samples says was timed; None when there is no such file."""
    if not path.exists():
        return None
    metadata: dict[bytes, bytes] = pq.read_schema(path).metadata or {}
    return metadata.get(_SESSION.encode(), b"").decode()


def read_samples(path: Path) -> list[Sample]:
    """The samples of a file, in their order.

    Raises:
        ResultsError: there is no such file, or it is no file of samples.
    """
    try:
        rows = pq.read_table(path).to_pylist()
        return [Sample(**row) for row in rows]
    except (OSError, pa.ArrowInvalid, TypeError) as error:
        raise ResultsError(f"{path}: no samples can be read ({error}).") from error

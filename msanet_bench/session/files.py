"""The files of a session in a results folder. Loads no torch."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TypeVar

from msanet_bench.measure.samples import Session, digest_of, read_session, write_session
from msanet_bench.records import replace_text
from msanet_bench.session.conditions import ConditionRow, summarise_conditions
from msanet_bench.session.table import LatencyRow, summarise

Row = TypeVar("Row", LatencyRow, ConditionRow)

LATENCY = "latency.csv"
CONDITIONS = "latency_sessions.csv"
SAMPLES = "samples.parquet"
# what cannot be made from the samples: environment, flags, notes
ABOUT = "session.json"


def write_latency(results: Path, session: Session) -> None:
    """Write the samples, then the tables that are made of them.

    The samples first, since nothing can bring them back; without tables a session does not count as taken.
    """
    for name in (LATENCY, CONDITIONS):
        (results / name).unlink(missing_ok=True)
    write_session(results / SAMPLES, session)
    write_tables(results, session)


def write_tables(results: Path, session: Session) -> list[Path]:
    """Write the tables that a session gives; returns their files."""
    texts = {
        LATENCY: _csv(LatencyRow, summarise(session)),
        CONDITIONS: _csv(ConditionRow, summarise_conditions(session)),
    }
    for name, text in texts.items():
        replace_text(results / name, text)
    return [results / name for name in texts]


def rewrite_tables(results: Path) -> list[Path]:
    """Make the tables again from the samples alone, byte for byte; returns their files.

    Raises:
        ResultsError: the folder holds no samples that can be read.
    """
    return write_tables(results, read_session(results / SAMPLES))


def is_measured(results: Path, digest: str) -> bool:
    """Whether the folder holds this session, whole."""
    tables = (results / name for name in (LATENCY, CONDITIONS))
    return all(table.exists() for table in tables) and digest_of(results / SAMPLES) == digest


def forget_latency(results: Path) -> None:
    """Remove what an earlier session left, so that its numbers cannot stand beside other networks."""
    for name in (LATENCY, CONDITIONS, SAMPLES, ABOUT):
        (results / name).unlink(missing_ok=True)


def _csv(kind: type[Row], rows: Sequence[Row]) -> str:
    """The table as text; six digits are more than any clock here gives."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(kind)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: f"{v:.6g}" if isinstance(v, float) else v for name, v in asdict(row).items()})
    return text.getvalue()

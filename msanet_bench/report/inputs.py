"""Everything that a report is made from, read once."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msanet_bench.errors import ResultsError
from msanet_bench.records import Record, read_records
from msanet_bench.report.manifest import Manifest, read_manifest


@dataclass(frozen=True, slots=True)
class Setting:
    """What a latency was measured under, apart from the variant."""

    device: str
    batch: int
    precision: str
    mode: str
    cache: str
    threads: int | None

    @property
    def family(self) -> str:
        """`cuda` of `cuda:0`."""
        return self.device.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Timing:
    """One row of `latency.csv` in seconds; None where nothing was measured, and `status` says why."""

    variant: str
    setting: Setting
    n: int | None
    p50: float | None
    p90: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    anchor: str
    status: str

    @property
    def is_measured(self) -> bool:
        return self.status == "ok" and self.p50 is not None

    @property
    def has_interval(self) -> bool:
        return self.ratio_low is not None and self.ratio_high is not None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a variant costs without running it."""

    params: int
    params_by_part: Mapping[str, int]
    macs: int | None
    macs_status: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """A results folder.

    Attributes:
        cells: Every planned (variant, seed) in plan order; None where there is no record of its key.
        strays: How many records belong to no planned cell: those of an earlier plan, say.
    """

    manifest: Manifest
    cells: Mapping[tuple[str, int], Record | None]
    strays: int
    timings: tuple[Timing, ...]
    profiles: Mapping[str, Profile]


def read_inputs(results: Path) -> Inputs:
    """A results folder; without latencies or profiles the report says that they are missing.

    Raises:
        ResultsError: the manifest or the records cannot be read, or a cell has two records.
    """
    manifest = read_manifest(results)
    found = _by_key(read_records(results))
    return Inputs(
        manifest=manifest,
        cells={cell: _named(found.get(key), cell[0]) for cell, key in manifest.keys.items()},
        strays=len(found.keys() - set(manifest.keys.values())),
        timings=_read_timings(results / "latency.csv"),
        profiles=_read_profiles(results / "profile.json"),
    )


def _by_key(records: Sequence[Record]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for record in records:
        if record.key in found:
            raise ResultsError(f"records.jsonl: `{record.variant}` has two records of seed {record.seed}.")
        found[record.key] = record
    return found


def _named(record: Record | None, variant: str) -> Record | None:
    # Names are differences to a baseline: where that was edited, the same cell may have had another one.
    return None if record is None else replace(record, variant=variant)


def _read_timings(file: Path) -> tuple[Timing, ...]:
    if not file.exists():
        return ()
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return tuple(map(_timing, csv.DictReader(lines)))
    except (ValueError, KeyError) as error:
        raise ResultsError(f"{file}: not a table of latencies ({type(error).__name__}: {error}).") from error


def _timing(row: Mapping[str, str]) -> Timing:
    setting = Setting(
        device=row["device"],
        batch=int(row["batch"]),
        precision=row["precision"],
        mode=row["mode"],
        cache=row["cache"],
        threads=_whole(row["threads"]),
    )
    return Timing(
        variant=row["variant"],
        setting=setting,
        n=_whole(row["n"]),
        p50=_number(row["p50_s"]),
        p90=_number(row["p90_s"]),
        ratio=_number(row["ratio_to_anchor"]),
        ratio_low=_number(row["ratio_low"]),
        ratio_high=_number(row["ratio_high"]),
        anchor=row["anchor"],
        status=row["status"],
    )


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _number(text: str) -> float | None:
    return float(text) if text else None


def _read_profiles(file: Path) -> Mapping[str, Profile]:
    if not file.exists():
        return {}
    try:
        variants = json.loads(file.read_text(encoding="utf-8"))["variants"]
        return {
            name: Profile(fields["params"], fields["params_by_part"], fields["macs"], fields["macs_status"])
            for name, fields in variants.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{file}: not a profile ({type(error).__name__}: {error}).") from error

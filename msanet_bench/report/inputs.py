"""Everything that a report is made from, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msanet_bench.errors import ResultsError
from msanet_bench.records import Record, read_records
from msanet_bench.report.manifest import Manifest, read_manifest
from msanet_bench.report.profiles import Profile, read_profiles
from msanet_bench.report.timings import Latencies, read_latencies


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
    latencies: Latencies
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
        latencies=read_latencies(results),
        profiles=read_profiles(results / "profile.json"),
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

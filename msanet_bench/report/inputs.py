"""Everything that a report is made from, read once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from msanet_bench.errors import MixedResultsError, ResultsError
from msanet_bench.finished import UNTUNED
from msanet_bench.records import Record, read_records
from msanet_bench.report.manifest import Manifest, read_manifest
from msanet_bench.report.markdown import code
from msanet_bench.report.numbers import plural
from msanet_bench.report.profiles import Profile, read_profiles
from msanet_bench.report.timings import Latencies, read_latencies


@dataclass(frozen=True, slots=True)
class Inputs:
    """A results folder.

    Attributes:
        cells: Every planned (variant, seed) in plan order; None where there is no record of its key.
        untuned: Every planned (variant, seed) as it is without tuning; empty where nothing was tuned.
        strays: How many records belong to no planned cell: those of an earlier plan, say.
    """

    manifest: Manifest
    cells: Mapping[tuple[str, int], Record | None]
    strays: int
    latencies: Latencies
    profiles: Mapping[str, Profile]
    untuned: Mapping[tuple[str, int], Record | None] = field(default_factory=dict)


# What accuracies depend on beside a cell's key, as records name it.
_ENVIRONMENT: Mapping[str, str] = {
    "torch": "version of torch",
    "device": "device",
    "threads": "number of threads",
    "code": "digest of the training code",
}


def read_inputs(results: Path, *, allow_mixed: bool = False) -> Inputs:
    """A results folder; without latencies or profiles the report says that they are missing.

    Raises:
        ResultsError: the manifest or the records cannot be read, or a cell has two records.
        MixedResultsError: the results come from different environments, and that was not allowed.
    """
    inputs = _read(results)
    mixed = mixed_environments(inputs)
    if mixed and not allow_mixed:
        several = "; nor the same ".join(f"{title} ({counted(v)})" for title, v in mixed.items())
        raise MixedResultsError(
            f"{results}: not all results have the same {several}. Differences may come from that. Train the "
            "others again, or give --mixed to conclude from them all the same."
        )
    return inputs


def mixed_environments(inputs: Inputs) -> Mapping[str, Counter[str]]:
    """What successful cells do not have in common, and how many records have which value."""
    cells = (cell for cell in (*inputs.cells.values(), *inputs.untuned.values()) if cell is not None)
    records = list({record.key: record for record in cells if record.status == "ok"}.values())
    values = {
        title: Counter(str(record.provenance.get(name, "not recorded")) for record in records)
        for name, title in _ENVIRONMENT.items()
    }
    return {title: counts for title, counts in values.items() if len(counts) > 1}


def counted(values: Counter[str]) -> str:
    """`3.0 (5 records), 2.14.1 (10 records)`, in the order of the records."""
    return ", ".join(f"{code(value)} ({plural(number, 'record')})" for value, number in values.items())


def _read(results: Path) -> Inputs:
    manifest = read_manifest(results)
    found = _by_key(results / "records.jsonl", read_records(results))
    return Inputs(
        manifest=manifest,
        cells={cell: _named(found.get(key), cell[0]) for cell, key in manifest.keys.items()},
        strays=len(found.keys() - set(manifest.keys.values())),
        latencies=read_latencies(results),
        profiles=read_profiles(results / "profile.json"),
        untuned=_untuned(results / UNTUNED, manifest),
    )


def _untuned(file: Path, manifest: Manifest) -> dict[tuple[str, int], Record | None]:
    if manifest.tuning is None:
        return {}
    found = _by_key(file, read_records(file)) if file.exists() else {}
    return {cell: _named(found.get(key), cell[0]) for cell, key in manifest.tuning.keys.items()}


def _by_key(file: Path, records: Sequence[Record]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for record in records:
        if record.key in found:
            raise ResultsError(f"{file}: `{record.variant}` has two records of seed {record.seed}.")
        if record.status == "ok" and not _has_accuracy(record):
            raise ResultsError(
                f"{file}: `{record.variant}` with seed {record.seed} is ok and must have an accuracy "
                "from 0 to 1. Export the records again with `msanet-bench sweep`."
            )
        found[record.key] = record
    return found


def _has_accuracy(record: Record) -> bool:
    accuracy = record.measures.get("accuracy")
    return accuracy is not None and 0 <= accuracy.value <= 1


def _named(record: Record | None, variant: str) -> Record | None:
    # Names are differences to a baseline: where that was edited, the same cell may have had another one.
    return None if record is None else replace(record, variant=variant)

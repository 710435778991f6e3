"""A results folder as a source of a merge: its plan and its attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msanet_bench.errors import ResultsError
from msanet_bench.finished import PlannedCell
from msanet_bench.journal import Attempt, Journal
from msanet_bench.migrations import migrated
from msanet_bench.records import json_fields, json_line, read_records
from msanet_bench.session.files import LATENCY

_KINDS = {
    "experiment": dict,
    "environment": dict,
    "experiment_digest": str,
    "notes": list,
}


@dataclass(frozen=True, slots=True)
class Source:
    """A results folder, read once.

    Attributes:
        manifest: Its fields as the newest version has them.
        cells: Every planned cell.
        torn: Bytes of a last line that a crash tore in half.
    """

    folder: Path
    manifest: Mapping[str, Any]
    cells: tuple[PlannedCell, ...]
    attempts: tuple[Attempt, ...]
    torn: int

    @property
    def has_latency(self) -> bool:
        return (self.folder / LATENCY).exists()


def read_source(folder: Path) -> Source:
    """A folder that a sweep has left.

    Raises:
        ResultsError: it is none, it is damaged, a newer version wrote it, or it is of a search or tuned.
    """
    path = folder / "manifest.json"
    if not path.exists():
        raise ResultsError(
            f"{folder}: no results folder: it has no manifest.json. Give folders that `msanet-bench sweep` "
            "has left."
        )
    try:
        manifest = migrated("manifest", str(path), json_fields(path.read_bytes()))
        cells = _planned(manifest)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path}: not a manifest ({type(error).__name__}: {error}).") from error
    _require_plan(folder, manifest)
    journal = Journal(folder / "journal.jsonl")
    if not journal.path.exists():
        _require_no_records(folder)
    return Source(folder, manifest, cells, tuple(journal.read()), journal.torn())


def read_target(out: Path, sources: Sequence[Source]) -> list[Source]:
    """What the folder to write to holds already, if it holds anything.

    Raises:
        ResultsError: it is the folder of a shard, or holds attempts of which no plan is known.
    """
    if not (out / "manifest.json").exists():
        _require_known(out, sources)
        return []
    target = read_source(out)
    if "shard" in target.manifest:
        raise ResultsError(f"{out}: holds a shard, not merged results. Give another folder with --out.")
    return [target]


def line_of(attempt: Attempt) -> str:
    """An attempt as its line of a journal: equal lines are one attempt."""
    return json_line(attempt.to_json())


def _planned(manifest: Mapping[str, Any]) -> tuple[PlannedCell, ...]:
    for name, kind in _KINDS.items():
        if not isinstance(manifest[name], kind):
            raise TypeError(f"`{name}` must be a {kind.__name__}, but is {manifest[name]!r}")
    factors = {variant["name"]: variant["factors"] for variant in manifest["variants"]}
    return tuple(
        PlannedCell(cell["key"], cell["variant"], factors[cell["variant"]], cell["seed"])
        for cell in manifest["cells"]
    )


def _require_plan(folder: Path, manifest: Mapping[str, Any]) -> None:
    """A search and tuning have chosen by what stood in their own folder."""
    for name, what in {"trials": "a search", "tuning": "an experiment with `tune`"}.items():
        if name in manifest:
            raise ResultsError(
                f"{folder}: holds {what}, which cannot be merged: what is trained there follows from what "
                "the folder found out before. Use --executor ray to train one on several machines."
            )


def _require_no_records(folder: Path) -> None:
    """A folder that was committed has records alone: when and where they were made is not known."""
    if (folder / "records.jsonl").exists() and read_records(folder):
        raise ResultsError(
            f"{folder}: has records but no journal.jsonl, from which alone folders are merged. "
            "Bring back the journal of its sweep."
        )


def _require_known(out: Path, sources: Sequence[Source]) -> None:
    """A merge that was killed leaves a journal without a plan, and no attempt that is not in its sources."""
    known = {line_of(attempt) for source in sources for attempt in source.attempts}
    if any(line_of(attempt) not in known for attempt in Journal(out / "journal.jsonl").read()):
        raise ResultsError(
            f"{out}: has a journal.jsonl of other attempts and no manifest.json. Give another folder with "
            "--out."
        )

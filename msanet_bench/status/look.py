"""A look at a results folder: once, or again and again without reading the same lines twice."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from msanet_bench.journal import code_of, gives_way
from msanet_bench.records import FINE, TUNING_FINE, Record, Status, read_records
from msanet_bench.running import TUNING, RunningCell, is_held, named_log, read_running
from msanet_bench.status.pace import Pace
from msanet_bench.status.planned import Planned, read_planned
from msanet_bench.status.tail import JournalTail

COLUMNS = ("ok", "failed", "oom", "diverged", "pruned", "missing")
# cells without a record that another shard trains: not missing here
ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell that failed; `log` names the file with its output, where there is one."""

    variant: str
    seed: int
    status: Status
    reason: str
    log: str = ""


@dataclass(frozen=True, slots=True)
class VariantStatus:
    """How many cells of one variant ended in which way, and those that failed."""

    variant: str
    counts: Mapping[str, int]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What a sweep is found to be doing.

    Attributes:
        state: `waiting` for a plan; `running`; `stopped` with cells missing; or `done`.
        variants: In plan order.
        running: What each slot does, if a sweep holds the folder.
        seconds_left: None before the first cell has ended.
        trials: Of a search: how many ended in which way.
    """

    name: str
    state: Literal["waiting", "running", "stopped", "done"]
    variants: tuple[VariantStatus, ...] = ()
    running: tuple[RunningCell, ...] = ()
    cells_per_second: float | None = None
    seconds_left: float | None = None
    trials: Mapping[str, int] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        """All but those of other shards."""
        return sum(sum(variant.counts.values()) for variant in self.variants) - self.elsewhere

    @property
    def elsewhere(self) -> int:
        return sum(variant.counts.get(ELSEWHERE, 0) for variant in self.variants)

    @property
    def missing(self) -> int:
        return sum(variant.counts["missing"] for variant in self.variants)

    @property
    def failures(self) -> tuple[Failure, ...]:
        return tuple(failure for variant in self.variants for failure in variant.failures)

    def to_json(self) -> dict[str, Any]:
        """What `status --json` prints."""
        return {
            "name": self.name,
            "state": self.state,
            "cells": self.cells,
            "done": self.cells - self.missing,
            "elsewhere": self.elsewhere,
            "cells_per_second": self.cells_per_second,
            "seconds_left": self.seconds_left,
            **({"trials": dict(self.trials)} if self.trials else {}),
            "running": [asdict(cell) for cell in self.running],
            "variants": [
                {"variant": v.variant, **{column: v.counts.get(column, 0) for column in COLUMNS}}
                for v in self.variants
            ],
            "failures": [asdict(failure) for failure in self.failures],
        }


class Watcher:
    """Looks at one folder again and again; what was read is remembered."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._tail = JournalTail(results / "journal.jsonl")
        self._outcomes: dict[str, _Outcome] = {}
        self._pace = Pace()
        self._planned: Planned | None = None
        self._manifest: object = None
        self._variants: tuple[VariantStatus, ...] = ()

    def look(self, now: float) -> Look:
        """How far the sweep is at a time, in seconds since the epoch.

        Raises:
            ResultsError: manifest, journal or records are damaged or of a newer program.
        """
        is_running = is_held(self._results)
        # in this order: a sweep that ends between the two looks has written all before it let go
        is_changed = self._read_plan() | self._read_outcomes()
        if self._planned is None:
            return Look(self._results.name, "waiting")
        if is_changed:
            planned = self._planned
            self._variants = tuple(
                self._variant(variant, keys, planned.elsewhere) for variant, keys in planned.cells.items()
            )
        missing = sum(variant.counts["missing"] for variant in self._variants)
        running = read_running(self._results)
        return Look(
            name=self._planned.name,
            state="running" if is_running else "stopped" if missing else "done",
            variants=self._variants,
            running=running,
            cells_per_second=self._pace.cells_per_second(),
            seconds_left=self._pace.seconds_left(missing, [cell.since for cell in running], now),
            trials=self._planned.trials,
        )

    def _read_plan(self) -> bool:
        """Read the manifest where it is another than before; whether it was."""
        try:
            found = (self._results / "manifest.json").stat()
        except FileNotFoundError:
            return False
        identity = found.st_ino, found.st_mtime_ns
        if identity == self._manifest:
            return False
        self._planned, self._manifest = read_planned(self._results), identity
        return True

    def _read_outcomes(self) -> bool:
        """The journal while there is one; a folder that was committed has the records alone."""
        gain = self._tail.read()
        if gain.is_anew:
            self._outcomes, self._pace = {}, Pace()
        for attempt in gain.attempts:
            self._note(attempt.record)
            self._pace.note(attempt.started, attempt.seconds)
        if not self._outcomes and self._has_only_records():
            for record in read_records(self._results):
                self._note(record)
            return bool(self._outcomes)
        return gain.is_anew or bool(gain.attempts)

    def _has_only_records(self) -> bool:
        journal, records = self._results / "journal.jsonl", self._results / "records.jsonl"
        return records.exists() and not journal.exists()

    def _note(self, record: Record) -> None:
        known, code = self._outcomes.get(record.key), code_of(record)
        if known is None or gives_way(known.status, known.code, code):
            self._outcomes[record.key] = _Outcome(record.status, record.reason, code)

    def _variant(self, variant: str, keys: Mapping[str, int], others: frozenset[str]) -> VariantStatus:
        found = {key: self._outcomes[key] for key in keys if key in self._outcomes}
        counts: Counter[str] = Counter(outcome.status for outcome in found.values())
        fine = TUNING_FINE if variant.endswith(TUNING) else FINE
        failures = (
            Failure(variant, keys[key], outcome.status, outcome.reason, named_log(self._results, key))
            for key, outcome in found.items()
            if outcome.status not in fine
        )
        without = keys.keys() - found.keys()
        counts["missing"] = len(without - others)
        if without & others:
            counts[ELSEWHERE] = len(without & others)
        return VariantStatus(variant, dict(counts), tuple(failures))


class _Outcome(NamedTuple):
    """What is remembered of a cell: of a hundred thousand of them, not more."""

    status: Status
    reason: str
    code: object


def read_status(results: Path, now: float) -> Look:
    """One look at a folder that holds a plan.

    Raises:
        ResultsError: it holds none, or its files cannot be read.
    """
    read_planned(results)
    return Watcher(results).look(now)

"""Results folders with a journal, planted: what became of which cell on which machine."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from msanet_bench.journal import Attempt, Journal
from msanet_bench.records import Record, Status
from planted_results import PROVENANCE, Design, full, nested_bits, record, write_results

DESIGN = full({"attention": ["eca", "none"]}, seeds=(4, 2, 7))
CPU = {"cpu": "Example CPU, 2 cores", "cores": 2}
CELLS = [(variant, seed) for seed in DESIGN.seeds for variant in range(2)]


def attempt(
    variant: int,
    seed: int,
    status: Status = "ok",
    *,
    right: int | None = None,
    started: float = 0.0,
    host: str = "here",
    **provenance: Any,
) -> Attempt:
    """A try at a cell; so many of 1000 images are right, 800 and a little unless given."""
    count = 800 + 10 * variant + seed if right is None else right
    levels = DESIGN.variants[variant]
    found = nested_bits(count) if status == "ok" else status
    key = f"{variant:08x}{seed:08x}"
    planted = record(key, DESIGN.name(levels), levels, seed, found, provenance)
    planted = replace(planted, provenance=PROVENANCE | provenance)
    return Attempt(planted, started, 1.5, None, 0.25, "cpu", host)


def expected(attempts: Iterable[Attempt]) -> list[Record]:
    """What must count of attempts in the order in which they began: by cell, the first ok, else the last."""
    records = []
    for variant, seed in CELLS:
        tries = [a.record for a in attempts if a.record.key == f"{variant:08x}{seed:08x}"]
        good = [tried for tried in tries if tried.status == "ok"]
        records += good[:1] or tries[-1:]
    return records


def write_shard(
    folder: Path, attempts: Iterable[Attempt], *, design: Design = DESIGN, **manifest: Any
) -> Path:
    """A folder as a sweep leaves it, its cells seed by seed."""
    write_results(folder, design, lambda *_: None, **{"schema": 1, "environment": CPU, **manifest})
    path = folder / "manifest.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields["cells"].sort(key=lambda cell: design.seeds.index(cell["seed"]))
    path.write_text(json.dumps(fields, indent=1), encoding="utf-8")
    journal = Journal(folder / "journal.jsonl")
    for each in attempts:
        journal.append(each)
    return folder


def files_of(*folders: Path) -> Mapping[Path, bytes]:
    """All that stands in some folders."""
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def manifest_of(folder: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return fields


# three machines with a seed each
ATTEMPTS = [attempt(v, s, started=10.0 * s + v, host=f"host{s}") for v, s in CELLS]


def write_shards(folder: Path) -> list[Path]:
    """`shard1`, `shard2` and `shard3`, which hold `ATTEMPTS`."""
    return [
        write_shard(
            folder / f"shard{index}",
            [each for each in ATTEMPTS if each.record.seed == seed],
            shard={"index": index, "count": 3},
        )
        for index, seed in enumerate(DESIGN.seeds, start=1)
    ]

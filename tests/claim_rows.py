"""Results folders with accuracies that a test writes down: so many of 1000 test images are right."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from msanet_bench.records import Record, Status, pack_bits, write_records
from msanet_bench.units import Measure

IMAGES = 1000


def row(
    variant: str,
    seed: int,
    right: int,
    *,
    replicate: int = 0,
    status: Status = "ok",
    levels: Mapping[str, str] | None = None,
) -> Record:
    fine = status == "ok"
    measures = {"accuracy": Measure(right / IMAGES, "fraction", "higher")} if fine else {}
    return Record(
        key=f"{abs(hash((variant, seed, replicate))):x}",
        variant=variant,
        factors=levels or {},
        seed=seed,
        replicate=replicate,
        status=status,
        reason="" if fine else "planted",
        measures=measures,
        correct=pack_bits(np.arange(IMAGES) < right) if fine else "",
        test_images=IMAGES if fine else 0,
    )


def rows_of(rights: Mapping[str, Iterable[int]]) -> list[Record]:
    """By variant, how many images are right with seed 0, 1, ..."""
    return [row(name, seed, right) for name, each in rights.items() for seed, right in enumerate(each)]


def write_rows(folder: Path, records: Iterable[Record]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_records(folder / "records.jsonl", records)
    return folder


def crossed(rights: Mapping[tuple[str, ...], Iterable[int]], factors: Iterable[str]) -> list[Record]:
    """A factorial: by the levels of the factors, how many images are right with seed 0, 1, ...

    The level `-` stands for a factor that does not apply.
    """
    found = []
    for corner, each in rights.items():
        levels = {name: level for name, level in zip(factors, corner, strict=True) if level != "-"}
        name = ",".join(f"{factor}={level}" for factor, level in levels.items())
        found += [row(name, seed, right, levels=levels) for seed, right in enumerate(each)]
    return found

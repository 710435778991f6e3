"""How long `msanet-bench compare` takes for two results of 32 variants and 3 seeds, in fresh processes.

    python tests/benchmarks/compare.py

The promise is 0.6 s. Records have 10,000 images each, and latencies stand beside them. The empty process and
what the verb must import are timed too, in turn with it, so that a busy machine slows all of them: where they
take long, it is the machine. Processor seconds tell what a quiet machine would need.
"""

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from msanet_bench.records import Record, pack_bits, write_records
from msanet_bench.units import Measure

LIMIT_SECONDS = 0.6
VARIANTS, SEEDS, IMAGES, EPOCHS, TIMES = 32, 3, 10_000, 20, 10
EMPTY, SPECIAL = "python -c pass", "numpy and scipy.special"
COMMANDS = {
    EMPTY: [sys.executable, "-c", "pass"],
    "numpy": [sys.executable, "-c", "import numpy"],
    SPECIAL: [sys.executable, "-c", "import scipy.special"],
    "the verbs and typer": [sys.executable, "-c", "import msanet_bench.cli"],
}


class Cost(NamedTuple):
    """Seconds of one process, and of the processor for it."""

    wall: float
    processor: float


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sides = [make_folder(Path(folder) / name, seed) for seed, name in enumerate(("base", "head"))]
        verb = [sys.executable, "-m", "msanet_bench", "compare", *map(str, sides)]
        commands = {**COMMANDS, "compare": verb}
        for command in commands.values():
            timed(command)  # once for the disk and for compiled modules
        costs = {name: [] for name in commands}
        for _ in range(TIMES):
            for name, command in commands.items():
                costs[name].append(timed(command))
    empty = median(cost.wall for cost in costs[EMPTY])
    for name, measured in costs.items():
        wall, processor = median(c.wall for c in measured), median(c.processor for c in measured)
        times = f"{wall:6.3f} s  {processor:6.3f} s of the processor"
        print(f"{name:24} {times}  {wall / empty:5.1f} x {EMPTY}")
    wall = median(cost.wall for cost in costs["compare"])
    print(f"compare: {wall:.2f} s, promised {LIMIT_SECONDS} s; load of the machine {os.getloadavg()[0]:.1f}")


def timed(command: Sequence[str]) -> Cost:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    wall, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def make_folder(folder: Path, seed: int) -> Path:
    """A results folder with everything that compare reads."""
    source = np.random.default_rng(seed)
    folder.mkdir()
    names = [f"branches.conv3=off,attention=block_{number}" for number in range(VARIANTS)]
    write_records(
        folder / "records.jsonl", [_record(name, s, source) for name in names for s in range(SEEDS)]
    )
    (folder / "manifest.json").write_text('{"experiment": {"delta": "0.5 pp"}}')
    (folder / "session.json").write_text('{"cpu": "x", "cores": 2, "torch": "2"}')
    condition = {"device": "cpu", "batch": 1, "precision": "fp32_strict", "cache": "warm"}
    _write(
        folder / "latency_sessions.csv",
        [{**condition, "super_rounds": 12, "rounds": 120, "drift": 0.05 + seed / 100}],
    )
    shared = {**condition, "side": "head", "role": "variant", "mode": "eager", "memory_format": "contiguous"}
    shared |= {"threads": 1, "clock": "host", "n": 120, "latency_s": 0.001, "ratio_low": 0.98}
    rows = [
        {**shared, "variant": n, "p50_s": source.normal(0.002, 2e-5), "ratio_high": 1.02, "status": "ok"}
        for n in names
    ]
    _write(folder / "latency.csv", rows)
    return folder


def _record(name: str, seed: int, source: np.random.Generator) -> Record:
    correct = source.random(IMAGES) < 0.9
    return Record(
        key=f"{name}{seed}{source.random()}",
        variant=name,
        factors={"attention": name},
        seed=seed,
        replicate=0,
        status="ok",
        measures={
            "accuracy": Measure(float(correct.mean()), "fraction", "higher"),
            "params": Measure(99_081, "count", "lower"),
            "macs": Measure(3_759_556, "count", "lower"),
        },
        curve=[{"epoch": epoch, "train_loss": source.random()} for epoch in range(EPOCHS)],
        correct=pack_bits(correct),
        test_images=IMAGES,
        provenance={"data_digest": "d"},
    )


def _write(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

"""How time and memory grow with the number of records: each size in a process of its own, and the exponent.

    python tests/benchmarks/scaling.py read             # about 1,000 and 10,000 records
    python tests/benchmarks/scaling.py read 100000      # and 100,000: 260 MB on the disk meanwhile
    python tests/benchmarks/scaling.py report 100000    # the whole report with its figures

The results are made up: a full factorial design of parts that are on or off and of factors with three levels,
and bits of 10,000 test images, drawn from what each variant, seed and image is worth. Nothing is trained.
"""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from msanet_bench.records import Record, json_line, pack_bits, read_records
from msanet_bench.report.build import build_report, write_report
from msanet_bench.units import Measure


def _report(results: Path) -> object:
    """The whole report with its figures, beside the results."""
    return write_report(build_report(results), results / "report")


# What is timed, by the word of the command line: a function of a results folder.
TASKS: Mapping[str, Callable[[Path], object]] = {"read": read_records, "report": _report}
# What is promised of it: records, seconds, bytes.
PROMISES = {"read": (100_000, 12.0, 1.5e9), "report": (10_000, 10.0, 1e9)}

RUNS = 3
IMAGES = 10_000
MANIFEST = Path(__file__).parents[1] / "data" / "small_results" / "manifest.json"
PROVENANCE = {"code": "0123456789abcdef", "data_digest": "fedcba9876543210", "device": "cpu", "threads": 1}


class Size(NamedTuple):
    """A full factorial design: so many factors of two levels and of three, and so many seeds."""

    twos: int
    threes: int
    seeds: int

    @property
    def records(self) -> int:
        return 2**self.twos * 3**self.threes * self.seeds


SIZES = {1_000: Size(4, 2, 7), 10_000: Size(7, 2, 9), 100_000: Size(10, 2, 11)}


class Run(NamedTuple):
    """What one process says of its task; bytes at most, and before the task began.

    The seconds that cores worked tell a busy machine from slow code.
    """

    seconds: float
    core_seconds: float
    peak_bytes: int
    start_bytes: int


def main(task: str, most: int) -> None:
    seconds, core_seconds = {}, {}
    for size in (size for nominal, size in SIZES.items() if nominal <= most):
        with TemporaryDirectory() as folder:
            make_results(Path(folder), size)
            bytes_each = (Path(folder) / "records.jsonl").stat().st_size / size.records
            runs = [_in_fresh_process(task, Path(folder)) for _ in range(RUNS)]
        seconds[size.records] = median(run.seconds for run in runs)
        core_seconds[size.records] = median(run.core_seconds for run in runs)
        peak, start = max(run.peak_bytes for run in runs), runs[0].start_bytes
        print(
            f"{task} {size.records:,} records of {bytes_each:,.0f} bytes: {seconds[size.records]:.2f} s, "
            f"a core worked {core_seconds[size.records]:.2f} s (medians of {RUNS} processes), "
            f"{peak / 1e6:.0f} MB at most, {start / 1e6:.0f} MB of it before"
        )
        records, promised_seconds, promised_bytes = PROMISES[task]
        if size.records >= records:
            print(f"promised of {records:,}: {promised_seconds:.0f} s and {promised_bytes / 1e6:.0f} MB")
    if len(seconds) == 1:
        return
    print(
        f"seconds grow as records to the power of {_exponent(seconds):.2f}, "
        f"seconds that a core worked of {_exponent(core_seconds):.2f}"
    )


def make_results(folder: Path, size: Size, *, images: int = IMAGES, seed: int = 0) -> None:
    """Write `manifest.json` and `records.jsonl` of a finished sweep; equal arguments give equal bytes."""
    rng = np.random.default_rng(seed)
    factors = _factors(size)
    variants = [dict(zip(factors, levels, strict=True)) for levels in product(*factors.values())]
    names = [_name(factors, levels) for levels in variants]
    _write_manifest(folder, factors, list(zip(names, variants, strict=True)), size.seeds, images, rng)
    # in logits: what a level is worth beside the first of its factor, then a seed, and each cell by itself
    worth = {
        (path, level): 0.0 if level == levels[0] else rng.normal(-0.05, 0.1)
        for path, levels in factors.items()
        for level in levels
    }
    of_seeds = rng.normal(0, 0.05, size.seeds)
    exam = _Exam.drawn(images, rng)
    with (folder / "records.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for number, (name, levels) in enumerate(zip(names, variants, strict=True)):
            ability = (
                sum(worth[choice] for choice in levels.items()) + of_seeds + rng.normal(0, 0.05, size.seeds)
            )
            for each in range(size.seeds):
                record = _record(_key(number, each), name, levels, each, exam.taken(ability[each], rng))
                file.write(json_line(record.to_json()))


class _Exam(NamedTuple):
    """The chance of each image to be seen right, for abilities on a grid."""

    grid: NDArray[np.float64]
    chance: NDArray[np.float32]

    @classmethod
    def drawn(cls, images: int, rng: np.random.Generator) -> "_Exam":
        grid = np.linspace(-3, 3, 241)
        margin = 3.0 + grid[:, None] + rng.normal(0, 2, images)
        return cls(grid, (1 / (1 + np.exp(-margin))).astype(np.float32))

    def taken(self, ability: float, rng: np.random.Generator) -> tuple[NDArray[np.bool_], float]:
        """Which images are seen right, and the mean surprise at what is right, in nat."""
        chance = self.chance[np.abs(self.grid - ability).argmin()]
        return rng.random(len(chance), dtype=np.float32) < chance, float(-np.log(chance).mean())


def _factors(size: Size) -> dict[str, list[str]]:
    parts = {f"branches.part{number}": ["on", "off"] for number in range(size.twos)}
    choices = {f"choice{number}": ["self_attention", "eca", "none"] for number in range(size.threes)}
    return parts | choices


def _name(factors: Mapping[str, Sequence[str]], levels: Mapping[str, str]) -> str:
    changes = (f"{path}={level}" for path, level in levels.items() if level != factors[path][0])
    return ",".join(changes) or "baseline"


def _key(variant: int, seed: int) -> str:
    return f"{variant:08x}{seed:08x}"


def _record(
    key: str, name: str, levels: Mapping[str, str], seed: int, outcome: tuple[NDArray[np.bool_], float]
) -> Record:
    correct, loss = outcome
    accuracy = float(correct.mean())
    on = sum(level not in {"off", "none"} for level in levels.values())
    return Record(
        key=key,
        variant=name,
        factors=levels,
        seed=seed,
        replicate=0,
        status="ok",
        measures={
            "accuracy": Measure(accuracy, "fraction", "higher"),
            "balanced_accuracy": Measure(accuracy, "fraction", "higher"),
            "loss": Measure(loss, "nat", "lower"),
            "params": Measure(50_000 + 9_001 * on, "count", "lower"),
            "macs": Measure(900_000 + 310_003 * on, "count", "lower"),
        },
        curve=[{"epoch": epoch, "train_loss": loss + 1 / epoch, "lr": 0.003 / epoch} for epoch in (1, 2, 3)],
        correct=pack_bits(correct),
        test_images=len(correct),
        provenance=PROVENANCE,
    )


def _write_manifest(
    folder: Path,
    factors: Mapping[str, Sequence[str]],
    variants: Sequence[tuple[str, Mapping[str, str]]],
    seeds: int,
    images: int,
    rng: np.random.Generator,
) -> None:
    """The manifest of the tests' small results, with another design."""
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    manifest["experiment"] |= {
        "design": "factorial",
        "factors": {path: {"levels": levels, "when": {}} for path, levels in factors.items()},
        "seeds": list(range(seeds)),
    }
    manifest |= {
        "variants": [{"name": name, "factors": levels, "merged": []} for name, levels in variants],
        "cells": list(_cells([name for name, _ in variants], seeds)),
        "excluded": [],
        "test_labels": base64.b64encode(rng.integers(0, 10, images, dtype="<u2").tobytes()).decode("ascii"),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _cells(names: Sequence[str], seeds: int) -> Iterator[dict[str, Any]]:
    for number, name in enumerate(names):
        yield from ({"variant": name, "seed": seed, "key": _key(number, seed)} for seed in range(seeds))


def _in_fresh_process(task: str, folder: Path) -> Run:
    command = [sys.executable, __file__, "once", task, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Run(*json.loads(done.stdout))


def _once(task: str, folder: Path) -> Run:
    start = _peak_bytes()
    clock, core_clock = time.perf_counter(), time.process_time()
    kept = TASKS[task](folder)
    seconds, core_seconds = time.perf_counter() - clock, time.process_time() - core_clock
    peak = _peak_bytes()
    del kept
    return Run(seconds, core_seconds, peak, start)


def _peak_bytes() -> int:
    """The most memory of this process: a child inherits `ru_maxrss` of its parent, but not this."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _exponent(seconds: Mapping[int, float]) -> float:
    """The slope of log seconds over log records."""
    slope, _ = np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)
    return float(slope)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["once", task, folder]:
            print(json.dumps(_once(task, Path(folder))))
        case [task] if task in TASKS:
            main(task, 10_000)
        case [task, most] if task in TASKS:
            main(task, int(most))
        case _:
            sys.exit(__doc__)

"""Results folders with planted causes: which images each network has right is given, nothing is trained."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msanet_bench.records import Record, Status, pack_bits, write_records
from msanet_bench.tabulate import csv_text
from msanet_bench.units import Measure

MANIFEST = Path(__file__).parent / "data" / "small_results" / "manifest.json"
PROVENANCE = {
    "code": "0123456789abcdef",
    "data_digest": "fedcba9876543210",
    "device": "cpu",
    "threads": 1,
    "torch": "2.14.1",
}
IMAGES = 1000

# What the networks of one seed share, and what each has for itself, in images; the latter adds up to 0 over
# five seeds, so that every mean is the planted one and only its error is not 0.
SHIFTS = (0, 5, -5, 3, -3)
WAVE = (2, -2, 1, -1, 0)

Levels = Mapping[str, str]
Bits = NDArray[np.bool_]
Outcome = Callable[[Levels, int], Bits | Status | None]


@dataclass(frozen=True, slots=True)
class Design:
    """The first variant is the baseline."""

    factors: Mapping[str, Sequence[object]]
    variants: Sequence[Levels]
    seeds: Sequence[int] = (0, 1, 2, 3, 4)
    when: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def name(self, levels: Levels) -> str:
        """As the planner calls it: the changes to the baseline."""
        changes = (f"{f}={level}" for f, level in levels.items() if level != self.variants[0].get(f))
        return ",".join(changes) or "baseline"

    @property
    def names(self) -> list[str]:
        return [self.name(levels) for levels in self.variants]


def full(factors: Mapping[str, Sequence[str]], **changes: Any) -> Design:
    """All combinations, the first levels being the baseline's."""
    combinations = product(*factors.values())
    return Design(factors, [dict(zip(factors, levels, strict=True)) for levels in combinations], **changes)


# One part helps a lot, one that does the same adds little to it, and one does nothing at all.
PARTS = full({"branches.a": ["on", "off"], "branches.b": ["on", "off"], "attention": ["eca", "none"]})

# A branch with a number that means nothing without it, and a part that changes nothing.
NESTED = Design(
    {"branches.d": ["on", "off"], "branches.d.dilation": [1, 2, 3], "attention": ["eca", "none"]},
    [
        {"branches.d": on, **({"branches.d.dilation": dilation} if dilation else {}), "attention": attention}
        for attention in ("eca", "none")
        for on, dilation in (("on", "1"), ("on", "2"), ("on", "3"), ("off", ""))
    ],
    when={"branches.d.dilation": {"branches.d": "on"}},
)


def worth_of_parts(levels: Levels) -> int:
    """Images of 1000 beside 800: a 40, b 30, both 50 instead of 70."""
    a, b = (levels[f"branches.{part}"] == "on" for part in "ab")
    return 50 if a and b else 40 * a + 30 * b


def worth_of_dilation(levels: Levels) -> int:
    """10, 20 and 24 images for dilations of 1, 2 and 3."""
    return {"1": 10, "2": 20, "3": 24}.get(levels.get("branches.d.dilation", ""), 0)


def nested_bits(right: int, images: int = IMAGES) -> Bits:
    """The easiest images right: two networks disagree on nothing but their difference."""
    return np.arange(images) < right


def scattered_bits(right: int, state: Sequence[int], images: int = IMAGES) -> Bits:
    """So many images right, drawn anew for every state."""
    return np.random.default_rng(state).permutation(images) < right


def planted(design: Design, worth: Callable[[Levels], int], *, wave: int = 1, base: int = 800) -> Outcome:
    """Accuracies whose means over five seeds are the planted ones; deviations grow with `wave`."""

    def outcome(levels: Levels, seed: int) -> Bits:
        place, number = design.seeds.index(seed), design.variants.index(levels)
        noise = SHIFTS[place] + wave * WAVE[(place + number) % len(WAVE)]
        return nested_bits(base + worth(levels) + noise)

    return outcome


def write_results(
    folder: Path,
    design: Design,
    outcome: Outcome,
    *,
    delta: str = "0.5 pp",
    provenance: Callable[[Levels, int], Mapping[str, Any]] = lambda *_: {},
    experiment: Mapping[str, Any] = MappingProxyType({}),
    **manifest: Any,
) -> Path:
    """Write `manifest.json` and `records.jsonl`; an outcome is bits, a status, or None for no record."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_manifest(folder, design, {"delta": delta, **experiment}, manifest)
    cells = [
        (number, levels, seed, outcome(levels, seed))
        for number, levels in enumerate(design.variants)
        for seed in design.seeds
    ]
    records = [
        record(f"{number:08x}{seed:08x}", design.name(levels), levels, seed, found, provenance(levels, seed))
        for number, levels, seed, found in cells
        if found is not None
    ]
    write_records(folder / "records.jsonl", records)
    return folder


def write_profiles(folder: Path, profiles: Mapping[str, Mapping[str, int | None]]) -> None:
    """Write `profile.json` of params, MACs and bytes of training by variant."""
    variants = {
        name: {
            "params": costs["params"],
            "params_by_part": {"all": costs["params"]},
            "macs": costs["macs"],
            "macs_status": "exact" if costs["macs"] is not None else "not counted",
            "train_batch": 32,
            "peak_est_bytes": {"inference_batch_1": 1, "train_batch_32": costs["bytes"]},
        }
        for name, costs in profiles.items()
    }
    (folder / "profile.json").write_text(json.dumps({"variants": variants}), encoding="utf-8")


def write_latencies(
    folder: Path, ratios: Mapping[str, tuple[float, float, float]], *, seconds: float = 0.001
) -> None:
    """Write `latency.csv` of ratios with intervals to the first, whose latency is given."""
    anchor = next(iter(ratios))
    fixed = {
        "side": "head",
        "device": "cpu",
        "batch": 1,
        "precision": "fp32_strict",
        "mode": "eager",
        "cache": "warm",
        "memory_format": "contiguous",
        "threads": 1,
        "clock": "host",
        "n": 100,
        "p10_s": "",
        "p90_s": "",
        "rank_low": 1,
        "rank_high": 1,
        "images_per_s": "",
        "anchor": anchor,
        "status": "ok",
    }
    rows = [
        fixed
        | {"variant": name, "role": "anchor" if name == anchor else "variant"}
        | {"latency_s": seconds * ratio, "p50_s": seconds * ratio}
        | {"ratio_to_anchor": ratio, "ratio_low": low, "ratio_high": high}
        for name, (ratio, low, high) in ratios.items()
    ]
    (folder / "latency.csv").write_text(csv_text(list(rows[0]), rows), encoding="utf-8")


def record(
    key: str, name: str, levels: Levels, seed: int, found: Bits | Status, provenance: Mapping[str, Any]
) -> Record:
    """A record of bits, or of a status without any."""
    if isinstance(found, str):
        return Record(key, name, levels, seed, 0, found, "planted")
    accuracy = float(found.mean())
    return Record(
        key=key,
        variant=name,
        factors=levels,
        seed=seed,
        replicate=0,
        status="ok",
        measures={"accuracy": Measure(accuracy, "fraction", "higher")},
        correct=pack_bits(found),
        test_images=len(found),
        provenance=PROVENANCE | dict(provenance),
    )


def _write_manifest(
    folder: Path, design: Design, experiment: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """The manifest of the tests' small results, with another design."""
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    manifest["experiment"] |= {
        "design": "factorial",
        "factors": {
            path: {"levels": list(levels), "when": design.when.get(path, {})}
            for path, levels in design.factors.items()
        },
        "seeds": list(design.seeds),
    } | dict(experiment)
    manifest |= {
        "variants": [{"name": design.name(v), "factors": v, "merged": []} for v in design.variants],
        "cells": [
            {"variant": name, "seed": seed, "key": f"{number:08x}{seed:08x}"}
            for number, name in enumerate(design.names)
            for seed in design.seeds
        ],
        "excluded": [],
        "notes": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest | changes, indent=1), encoding="utf-8")

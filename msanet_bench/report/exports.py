"""The report's tables with ten digits: accuracies as fractions, times in seconds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msanet_bench.analysis.contrasts import Contrast, MeanInterval
from msanet_bench.report.effects import Effect
from msanet_bench.report.findings import Findings
from msanet_bench.report.latency import DEVICES, main_timings
from msanet_bench.report.profiles import Profile
from msanet_bench.report.timings import Timing
from msanet_bench.tabulate import csv_text

_CONTRAST = ("estimate", "se", "df", "low", "high")
_EFFECT = ("factor", "level", "reference", "pairs", "planned_pairs", *_CONTRAST, "params", "macs")
_TIMING = ("latency", "p10", "p50", "p90", "ratio", "ratio_low", "ratio_high")
_CONDITION = ("device", "batch", "precision", "cache")
_TEXTS = ("variant", "mode", "memory_format", "threads", "n", "anchor", "status")
_LATENCY = (*_CONDITION, *_TEXTS, *_TIMING, "rank_low", "rank_high", "images_per_s")
_COSTS = (
    "params",
    "macs",
    "activations",
    "saved_bytes",
    "train_batch",
    "inference_peak_bytes",
    "training_peak_bytes",
)
_VARIANT = (
    "number",
    "variant",
    "seeds_ok",
    "seeds_planned",
    *(f"accuracy_{name}" for name in ("mean", "low", "high", "sd")),
    *(f"difference_{name}" for name in _CONTRAST),
    *_COSTS,
    *(f"{family}_{name}" for family in DEVICES for name in _TIMING),
)


def effects_csv(effects: Sequence[Effect]) -> str:
    """One row an effect."""
    rows = [
        {"factor": effect.factor, "level": effect.level, "reference": effect.reference}
        | {"pairs": effect.pairs, "planned_pairs": effect.planned_pairs}
        | _fields("", effect, ("params", "macs"))
        | _fields("", effect.contrast, _CONTRAST)
        for effect in effects
    ]
    return csv_text(_EFFECT, rows)


def variants_csv(findings: Findings) -> str:
    """One row a variant."""
    return csv_text(_VARIANT, _variants(findings))


def latency_csv(timings: Sequence[Timing]) -> str:
    """One row a variant, mode and condition."""
    numbers = [name for name in _LATENCY if name not in {*_CONDITION, *_TEXTS}]
    rows = [
        {name: getattr(timing.condition, name) for name in _CONDITION}
        | {name: getattr(timing, name) for name in _TEXTS}
        | _fields("", timing, numbers)
        for timing in timings
    ]
    return csv_text(_LATENCY, rows)


def _variants(findings: Findings) -> Iterator[Mapping[str, Any]]:
    tables = {family: main_timings(findings.inputs.latencies, family) for family in DEVICES}
    for variant in findings.variants:
        yield {
            "number": variant.number,
            "variant": variant.name,
            "seeds_ok": variant.ok,
            "seeds_planned": len(findings.manifest.seeds),
            **_fields("accuracy_", variant.accuracy, ("mean", "low", "high", "sd")),
            **_fields("difference_", variant.difference, _CONTRAST),
            **_fields("", variant.profile, _COSTS),
        } | {
            column: value
            for family, table in tables.items()
            for column, value in _fields(f"{family}_", table.get(variant.name), _TIMING).items()
        }


def _fields(
    prefix: str, value: Contrast | Effect | MeanInterval | Profile | Timing | None, names: Sequence[str]
) -> dict[str, Any]:
    if value is None:
        return {}
    return {f"{prefix}{name}": _text(getattr(value, name)) for name in names}


def _text(value: float | None) -> str:
    # Ten digits: the last bits of a fit differ from machine to machine, the report must not.
    return "" if value is None or math.isnan(value) else f"{value:.10g}"

"""The report's tables with ten digits: accuracies as fractions, times in seconds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msanet_bench.analysis.contrasts import Contrast, MeanInterval
from msanet_bench.plan import level_name
from msanet_bench.report.costs import CostChange
from msanet_bench.report.credit import Credit
from msanet_bench.report.effects import Interaction
from msanet_bench.report.evidence import Claim
from msanet_bench.report.findings import Findings
from msanet_bench.report.latency import DEVICES, main_timings
from msanet_bench.report.profiles import Profile
from msanet_bench.report.standing import MACS
from msanet_bench.report.timings import Timing
from msanet_bench.report.tuning import Tuning, candidate_rows, mean
from msanet_bench.tabulate import csv_text

_CONTRAST = ("estimate", "se", "df", "low", "high")
_INTERVAL = ("se", "df", "low", "high")
_CLAIM = (
    *_CONTRAST,
    *(f"new_{name}" for name in _INTERVAL),
    "p_holm",
    "p_equivalence",
    "new_p_holm",
    "new_p_equivalence",
    "verdict",
    "scope",
    "detectable",
    "more_seeds",
)
_CHANGE = (
    "params",
    "macs",
    "memory",
    *(f"{family}_{n}" for family in DEVICES for n in ("s", "s_low", "s_high")),
)
_EFFECT = ("factor", "level", "reference", "pairs", "planned_pairs", *_CLAIM, *_CHANGE)
_INTERACTION = ("first", "first_level", "second", "second_level", "squares", *_CLAIM)
_RULES = ("removed", "added", "main", "shapley")
_CREDIT = ("component", *(f"{rule}_{name}" for rule in _RULES for name in _CONTRAST), *_CHANGE)
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
_GAIN = (
    "variant",
    "untuned",
    "untuned_n",
    "tuned",
    "tuned_n",
    *(f"difference_{name}" for name in ("mean", "low", "high", "n")),
)
_VARIANT = (
    "number",
    "variant",
    "seeds_ok",
    "seeds_planned",
    *(f"accuracy_{name}" for name in ("mean", "low", "high", "sd")),
    *(f"difference_{name}" for name in _CLAIM),
    "fixes",
    "breaks",
    "best",
    *(f"on_front_{cost}" for cost in (MACS, *DEVICES)),
    *_COSTS,
    *(f"{family}_{name}" for family in DEVICES for name in _TIMING),
)


def effects_csv(findings: Findings) -> str:
    """One row an effect."""
    rows = [
        {name: str(getattr(effect, name)) for name in _EFFECT[:5]}
        | claim_fields(effect.claim)
        | _change(effect.costs)
        for effect in findings.effects
    ]
    return csv_text(_EFFECT, rows)


def interactions_csv(pairs: Sequence[Interaction]) -> str:
    """One row a pair of effects."""
    rows = [
        {"first": pair.first.factor, "first_level": pair.first.level}
        | {"second": pair.second.factor, "second_level": pair.second.level}
        | {"squares": str(pair.squares)}
        | claim_fields(pair.claim)
        for pair in pairs
    ]
    return csv_text(_INTERACTION, rows)


def credit_csv(found: Credit) -> str:
    """One row a component; the costs are Shapley's."""
    rows = [
        {"component": share.component}
        | {
            column: value
            for rule in _RULES
            if (claim := getattr(share, rule)) is not None
            for column, value in _fields(f"{rule}_", claim.here, _CONTRAST).items()
        }
        | _change(share.costs)
        for share in found.shares
    ]
    return csv_text(_CREDIT, rows)


def variants_csv(findings: Findings) -> str:
    """One row a variant."""
    return csv_text(_VARIANT, _variants(findings))


def tuning_csv(tuning: Tuning) -> str:
    """One row a variant and candidate."""
    columns = ("variant", "candidate", *tuning.paths, "status", "validation_accuracy", "chosen")
    rows = (
        {
            **{name: level_name(value) for name, value in row.items()},
            "validation_accuracy": text(row["validation_accuracy"]),
            "chosen": "yes" if row["chosen"] else "no",
        }
        for row in candidate_rows(tuning)
    )
    return csv_text(columns, rows)


def gains_csv(findings: Findings) -> str:
    """One row a variant: its test accuracy with and without tuning."""
    rows = [
        {
            "variant": gain.variant,
            "untuned": text(mean(gain.untuned)),
            "untuned_n": str(len(gain.untuned)),
            "tuned": text(mean(gain.tuned)),
            "tuned_n": str(len(gain.tuned)),
        }
        | _fields("difference_", gain.difference, ("mean", "low", "high", "n"))
        for gain in findings.gains
    ]
    return csv_text(_GAIN, rows)


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
            "seeds_planned": findings.manifest.num_seeds(variant.name),
            **_fields("accuracy_", variant.accuracy, ("mean", "low", "high", "sd")),
            **{f"difference_{name}": value for name, value in claim_fields(variant.claim).items()},
            **_flips(variant.claim),
            **_standing(findings, variant.name),
            **_fields("", variant.profile, _COSTS),
        } | {
            column: value
            for family, table in tables.items()
            for column, value in _fields(f"{family}_", table.get(variant.name), _TIMING).items()
        }


def claim_fields(claim: Claim | None) -> dict[str, str]:
    """A claim by the columns that every table of claims has."""
    if claim is None:
        return {}
    tests, tests_new = claim.verdict, claim.verdict_new
    return {
        **_fields("", claim.here, _CONTRAST),
        **_fields("new_", claim.new, _INTERVAL),
        "p_holm": text(tests.p if tests else None),
        "p_equivalence": text(tests.p_equivalence if tests else None),
        "new_p_holm": text(tests_new.p if tests_new else None),
        "new_p_equivalence": text(tests_new.p_equivalence if tests_new else None),
        "verdict": claim.word or "",
        "scope": claim.scope or "",
        "detectable": text(claim.detectable),
        "more_seeds": text(claim.more_seeds),
    }


def _flips(claim: Claim | None) -> dict[str, str]:
    if claim is None or claim.crossed is None:
        return {}
    return {"fixes": text(claim.crossed.gained), "breaks": text(claim.crossed.lost)}


def _standing(findings: Findings, name: str) -> dict[str, str]:
    standing = findings.standing
    if standing is None:
        return {}
    fronts = {f"on_front_{cost}": text(front.get(name)) for cost, front in standing.on_front.items()}
    return {"best": text(standing.best.get(name)), **fronts}


def _change(costs: CostChange | None) -> dict[str, str]:
    if costs is None:
        return {}
    return {
        **_fields("", costs, ("params", "macs", "memory")),
        **{
            f"{family}_{column}": text(value)
            for family, latency in costs.latency.items()
            for column, value in zip(("s", "s_low", "s_high"), latency, strict=True)
        },
    }


def _fields(
    prefix: str, value: Contrast | CostChange | MeanInterval | Profile | Timing | None, names: Sequence[str]
) -> dict[str, str]:
    if value is None:
        return {}
    return {f"{prefix}{name}": text(getattr(value, name)) for name in names}


def text(value: float | None) -> str:
    """Ten digits: the last bits of a fit differ from machine to machine, the report must not."""
    return "" if value is None or math.isnan(value) else f"{value:.10g}"

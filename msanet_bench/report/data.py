"""`report.json`: every number of the report, unrounded, for whoever wants to compute with it."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from msanet_bench.analysis.noise import pairing_gain, seed_variance
from msanet_bench.report.evidence import Claim
from msanet_bench.report.findings import Findings
from msanet_bench.report.tuning import candidate_rows

SCHEMA_VERSION = 1

# The weights of a contrast over more variants than this are left out: they would be most of the file.
_MOST_WEIGHTS = 64
# Between machines the last bits of a fit differ.
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12


def report_json(findings: Findings) -> str:
    """The findings as JSON text, one row a line; what is not known is null."""
    parts = (f"{_compact(name)}: {_rows(value)}" for name, value in _content(findings).items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def says_the_same(first: str, second: str) -> bool:
    """Whether two such texts have the same content, numbers up to the last bits; False if one is damaged."""
    try:
        return _equal(json.loads(first), json.loads(second))
    except ValueError:
        return False


def _rows(value: object) -> str:
    """Rows below each other, so that two versions of a file can be compared line by line."""
    if not isinstance(value, list) or not value:
        return _compact(value)
    return "[\n" + ",\n".join(map(_compact, value)) + "\n]"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _content(findings: Findings) -> dict[str, Any]:
    manifest = findings.manifest
    cells = findings.inputs.cells.values()
    return {
        "schema_version": SCHEMA_VERSION,
        "name": manifest.name,
        "question": manifest.question,
        "experiment_digest": manifest.experiment_digest,
        "baseline": manifest.baseline,
        "seeds": list(manifest.seeds),
        "delta": manifest.delta,
        "alpha": manifest.alpha,
        "families": list(manifest.families),
        "looks": _plain(manifest.looks),
        "amendments": _plain(manifest.amendments),
        "cells": dict(Counter("missing" if cell is None else cell.status for cell in cells)),
        "noise": _noise(findings),
        "variants": _plain(findings.variants),
        "effects": _plain(findings.effects),
        "credit": _plain(findings.credit),
        "interactions": [
            {
                "first": [pair.first.factor, pair.first.level],
                "second": [pair.second.factor, pair.second.level],
                "squares": pair.squares,
                "claim": _plain(pair.claim),
            }
            for pair in findings.interactions
        ],
        "standing": _plain(findings.standing),
        "references": _plain(findings.references),
        "latencies": _plain(findings.inputs.latencies.timings),
        "latency_sessions": _plain(findings.inputs.latencies.sessions),
        **_tuning(findings),
    }


def _tuning(findings: Findings) -> dict[str, Any]:
    """Where variants were tuned: how, and the same numbers of them untuned."""
    tuning, untuned = findings.manifest.tuning, findings.untuned
    if tuning is None or untuned is None:
        return {}
    return {
        "tuning": {"paths": dict(tuning.paths), "seed": tuning.seed, "sequence": tuning.sequence},
        "tuning_candidates": _plain(list(candidate_rows(tuning))),
        "tuning_gains": _plain(findings.gains),
        "untuned_variants": _plain(untuned.variants),
        "untuned_effects": _plain(untuned.effects),
    }


def _noise(findings: Findings) -> dict[str, Any] | None:
    evidence = findings.evidence
    if evidence is None:
        return None
    return {
        "mean_square": _plain(evidence.fit.mean_square),
        "df": evidence.fit.df,
        "seed_variance": _plain(seed_variance(findings.accuracies)),
        "pairing_gain": _plain(pairing_gain(findings.accuracies, evidence.fit)),
        "unequal_spread_p": _plain(evidence.unequal_p),
        "test_images": evidence.correctness.images,
    }


def _plain(value: object) -> Any:  # noqa: ANN401 (any JSON)
    match value:
        case float() if math.isnan(value):
            return None
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return _plain(value._asdict())
        case tuple() | list():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value):
            return _fields(value)
        case _:
            return value


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 (any dataclass)
    is_long = isinstance(value, Claim) and len(value.weights) > _MOST_WEIGHTS
    names = (field.name for field in fields(value) if not (is_long and field.name == "weights"))
    return {name: _plain(getattr(value, name)) for name in names}


def _equal(first: object, second: object) -> bool:
    match first, second:
        case dict(), dict():
            return list(first) == list(second) and all(_equal(first[key], second[key]) for key in first)
        case list(), list():
            return len(first) == len(second) and all(map(_equal, first, second))
        case ((int() | float()), (int() | float())):
            return math.isclose(first, second, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
        case _:
            return first == second

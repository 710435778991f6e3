"""An analysis as JSON: every number at full precision, null for what is not known."""

import json
import math
from typing import Any

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.analyze import Analysis
from msanet_bench.analyze.fitted import Family, Row
from msanet_bench.analyze.remarks import remarks
from msanet_bench.analyze.trials import missing_combinations
from msanet_bench.analyze.two_levels import Credit, Screening

_KIND = "msanet_bench.analysis"


def render_json(analysis: Analysis) -> str:
    content = _known(
        {
            "kind": _KIND,
            "source": analysis.sheet.source,
            "question": _question(analysis),
            "read": _read(analysis),
            "error": {
                "df": analysis.fitted.fit.df,
                "mean_square": analysis.fitted.fit.mean_square,
                "spread_p": analysis.spread_p,
                "pairing_gain": analysis.pairing_gain,
            },
            "families": [_family(family) for family in analysis.families],
            "credit": _credit(analysis.credit),
            "screening": _screening(analysis.screening),
            "exact": analysis.exact and {"pairs": analysis.exact.pairs, "p": analysis.exact.p},
            "remarks": list(remarks(analysis)),
        }
    )
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _question(analysis: Analysis) -> dict[str, Any]:
    question = analysis.question
    return {
        "response": question.response,
        "factors": {factor.name: list(factor.levels) for factor in analysis.trials.factors},
        "block": question.block,
        "delta": question.delta,
        "better": "lower" if question.lower_is_better else "higher",
        "order": question.order,
        "alpha": question.alpha,
    }


def _read(analysis: Analysis) -> dict[str, Any]:
    trials = analysis.trials
    return {
        "rows": len(analysis.sheet.lines),
        "cells": len(set(trials.variant)),
        "blocks": len(set(trials.block)) if analysis.question.block else None,
        "failed": [
            {"line": one.line, "cell": one.variant, "block": one.block if analysis.question.block else None}
            for one in trials.failures
        ],
        "missing": missing_combinations(trials),
        "no_factors": {name: reason for reason, names in trials.left_out.items() for name in names},
    }


def _family(family: Family) -> dict[str, Any]:
    return {
        "title": family.title,
        "groups": family.groups,
        "adjustment": family.adjustment,
        "rows": [_row(row) for row in family.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    verdict = row.verdict
    return {
        "effect": row.label,
        "groups": row.groups,
        **(_contrast(row.contrast) if row.contrast is not None else {"reason": row.reason}),
        "p": row.p,
        "p_equivalence": verdict and verdict.p_equivalence,
        "verdict": verdict and verdict.word,
        "detectable": row.detectable,
        "more": row.more,
    }


def _contrast(found: Contrast) -> dict[str, Any]:
    return {
        "estimate": found.estimate,
        "se": found.se,
        "df": found.df,
        "low": found.low,
        "high": found.high,
    }


def _credit(credit: Credit | None) -> dict[str, Any] | None:
    if credit is None:
        return None
    return {
        "whole": _contrast(credit.whole),
        "components": [
            {
                "component": share.component,
                "present": share.present,
                "absent": share.absent,
                "removed": _contrast(share.removed),
                "added": _contrast(share.added),
                "main": _contrast(share.main),
                "shapley": _contrast(share.shapley),
            }
            for share in credit.shares
        ],
    }


def _screening(screening: Screening | None) -> dict[str, Any] | None:
    if screening is None:
        return None
    margins = screening.margins
    return {
        "effects": dict(screening.effects),
        "pseudo_se": margins and margins.pseudo_se,
        "margin": margins and margins.margin,
        "simultaneous_margin": margins and margins.simultaneous_margin,
    }


def _known(value: Any) -> Any:  # noqa: ANN401 - of JSON any part
    """The same with null for every NaN."""
    match value:
        case dict():
            return {key: _known(part) for key, part in value.items()}
        case list():
            return [_known(part) for part in value]
        case float() if math.isnan(value):
            return None
        case _:
            return value

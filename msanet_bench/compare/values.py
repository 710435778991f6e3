"""A comparison for programs: every number with all its digits, as JSON or as one flat table."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from msanet_bench.compare.document import Comparison, Entry, Table
from msanet_bench.compare.gates import Ruling

SCHEMA = 1
_KEY = ("metric", "condition", "unit", "head", "variant", "state", "base_value", "head_value", "change")
_EVIDENCE = ("low", "high", "p", "p_alone", "p_equivalence", "n", "method", "mark", "failure", "reason")


def render_json(comparison: Comparison, rulings: Sequence[Ruling], mode: str, code: int) -> str:
    """One object with sorted keys; what is not known is null."""
    content = {
        "schema": SCHEMA,
        "tables_of": [{"label": label, "path": path} for label, path in comparison.paths.items()],
        "delta": comparison.delta,
        "tables": [_table(table) for table in comparison.tables],
        "notes": [note._asdict() for note in comparison.notes],
        "gate_mode": mode,
        "gates": [{"gate": r.gate, "status": r.status, "rows": list(r.rows)} for r in rulings],
        "exit_code": code,
    }
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def render_csv(comparison: Comparison) -> str:
    """One line a metric, condition, head and variant; the last rows of tables are left out."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_KEY, *_EVIDENCE], lineterminator="\n")
    writer.writeheader()
    for table in comparison.tables:
        shared = {"metric": table.metric.name, "condition": table.condition, "unit": table.metric.unit}
        for head, variant, entry in table.entries():
            n = "+".join(map(str, entry.counts))
            writer.writerow({**shared, "head": head, "variant": variant, **_entry(entry), "n": n})
    return text.getvalue()


def _table(table: Table) -> dict[str, Any]:
    return {
        "metric": table.metric.name,
        "unit": table.metric.unit,
        "better": table.metric.better,
        "change": "head / base - 1" if table.metric.is_cost else "head - base",
        "condition": table.condition or None,
        "rows": [
            {"head": head, "variant": variant, **_entry(entry), **_whole(entry)}
            for head, variant, entry in table.entries()
        ],
        "summaries": list(_summaries(table)),
        "footnotes": list(table.footnotes),
    }


def _summaries(table: Table) -> Iterator[dict[str, Any]]:
    for column in table.columns:
        if column.summary is not None:
            yield {
                "head": column.head,
                "of": table.summary,
                **_entry(column.summary),
                **_whole(column.summary),
            }


def _entry(entry: Entry) -> dict[str, Any]:
    low, high = entry.interval or (None, None)
    return {
        "state": entry.state,
        "base_value": entry.base,
        "head_value": entry.head,
        "change": entry.change,
        "low": low,
        "high": high,
        "p": entry.p,
        "p_alone": entry.p_alone,
        "p_equivalence": entry.p_equivalence,
        "method": entry.method,
        "mark": entry.mark,
        "failure": entry.failure,
        "reason": entry.reason,
    }


def _whole(entry: Entry) -> dict[str, Any]:
    """What a flat table has no place for: the interval of all rows at once, and counts as numbers."""
    low, high = entry.together or (None, None)
    return {
        "low_together": low,
        "high_together": high,
        "n": list(entry.counts),
        "left_out": entry.left_out,
    }

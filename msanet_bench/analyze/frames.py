"""The same for a pandas DataFrame: rows of a table in, rows of effects out."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from msanet_bench.analyze import Question, analyze_sheet
from msanet_bench.analyze.fitted import Family, Row
from msanet_bench.analyze.sheet import Line, Sheet
from msanet_bench.units import parse_points

_COLUMNS = (
    "family",
    "effect",
    "groups",
    "estimate",
    "se",
    "df",
    "low",
    "high",
    "p",
    "p_equivalence",
    "verdict",
    "detectable",
    "more",
    "reason",
)


def effects(
    table: pd.DataFrame,
    *,
    response: str = "accuracy",
    factors: Sequence[str] | None = None,
    block: str | None = None,
    delta: str | float | None = None,
    **options: Any,  # noqa: ANN401 (those of `Question`)
) -> pd.DataFrame:
    """Main effects, interactions and trends of a table of runs, one row an effect.

    Args:
        table: One row a run; a missing response is a failed run, which is averaged over nowhere.
        response: The column that answers.
        factors: The columns that were varied; by default those that look like it.
        block: The column whose rows belong together, such as `seed`.
        delta: The smallest difference that matters, in the response's unit, or a text such as `0.3 pp`.
        **options: The others of `Question`.

    Raises:
        ResultsError: a column is missing or is not what it should be.
        ValueError: delta is a text without its unit.
    """
    smallest = parse_points(delta) if isinstance(delta, str) else delta
    names = None if factors is None else tuple(factors)
    question = Question(response, names, block, smallest, **options)
    found = analyze_sheet(_sheet(table), question).families
    return pd.DataFrame(list(_rows(found)), columns=_COLUMNS)


def _sheet(table: pd.DataFrame) -> Sheet:
    columns = tuple(map(str, table.columns))
    rows = table.itertuples(index=False, name=None)
    lines = (
        Line(number, dict(zip(columns, map(_text, row), strict=True))) for number, row in enumerate(rows, 1)
    )
    return Sheet("the table", columns, tuple(lines))


def _text(value: object) -> str:
    is_missing = value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
    return "" if is_missing else str(value)


def _rows(families: Sequence[Family]) -> Iterator[tuple[Any, ...]]:
    for family in families:
        for row in family.rows:
            yield (family.title, row.label, row.groups, *_numbers(row), row.detectable, row.more, row.reason)


def _numbers(row: Row) -> tuple[Any, ...]:
    found, verdict = row.contrast, row.verdict
    contrast = (found.estimate, found.se, found.df, found.low, found.high) if found else (math.nan,) * 5
    tests = (verdict.p_equivalence, verdict.word) if verdict else (math.nan, None)
    return *contrast, row.p, *tests

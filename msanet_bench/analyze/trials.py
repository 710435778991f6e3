"""What a table tried: values by variant and block, what failed, and which combinations are missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from msanet_bench.analyze.columns import Factor, choose_factors
from msanet_bench.analyze.question import Question
from msanet_bench.analyze.sheet import Line, Sheet
from msanet_bench.errors import ResultsError
from msanet_bench.violations import suggestion

ONE_BLOCK = "all"
# The square of anything larger is no number of the machine's any more.
MOST = 1e150


@dataclass(frozen=True, slots=True)
class Failure:
    """A row without a response: a run that gave none."""

    line: int
    variant: str
    block: str


@dataclass(frozen=True, slots=True)
class Trials:
    """One value a row, and what was set for it.

    Attributes:
        levels: What each variant sets, by factor; a factor that does not apply is missing.
        variant: The variant of each row that has a value; `block` and `values` beside it.
        left_out: Columns that could have been factors, by the reason why they are none.
    """

    factors: tuple[Factor, ...]
    levels: Mapping[str, Mapping[str, str]]
    variant: tuple[str, ...]
    block: tuple[str, ...]
    values: tuple[float, ...]
    failures: tuple[Failure, ...]
    left_out: Mapping[str, Sequence[str]]

    @property
    def tried(self) -> dict[str, Mapping[str, str]]:
        """The variants that have a value at all."""
        there = set(self.variant)
        return {name: levels for name, levels in self.levels.items() if name in there}

    @property
    def is_two_level(self) -> bool:
        """Whether every factor has two levels and applies to every variant."""
        return all(len(factor.levels) == 2 for factor in self.factors) and all(  # noqa: PLR2004 - low and high
            len(levels) == len(self.factors) for levels in self.levels.values()
        )


def read_trials(sheet: Sheet, question: Question) -> Trials:
    """The rows of a table as runs of variants.

    Raises:
        ResultsError: a column is missing, a response is no number, or there is nothing to compare.
    """
    _check_columns(sheet, question)
    factors, left_out = choose_factors(sheet, question)
    rows = [(line, name_of(line, factors)) for line in sheet.lines]
    levels = {name: _levels(line, factors) for line, name in rows}
    blocks = [line.cells[question.block] if question.block else ONE_BLOCK for line, _ in rows]
    numbers = [_number(sheet, line, question.response) for line, _ in rows]
    found = [(n, b, v) for (_, n), b, v in zip(rows, blocks, numbers, strict=True) if not math.isnan(v)]
    failed = [
        Failure(line.number, name, block)
        for (line, name), block, value in zip(rows, blocks, numbers, strict=True)
        if math.isnan(value)
    ]
    if not found:
        raise ResultsError(f"{sheet.source}: `{question.response}` is empty in every row.")
    variant, block, values = zip(*found, strict=True)
    return Trials(factors, levels, variant, block, values, tuple(failed), left_out)


def name_of(line: Line, factors: Sequence[Factor]) -> str:
    """`attention=none, kernel=3`: what a row sets; a factor that does not apply is left out."""
    return ", ".join(f"{name}={level}" for name, level in _levels(line, factors).items())


def missing_combinations(trials: Trials) -> list[str]:
    """The combinations of levels without a value; none are expected where factors do not apply everywhere."""
    if any(len(levels) < len(trials.factors) for levels in trials.levels.values()):
        return []
    wanted = product(*(factor.levels for factor in trials.factors))
    names = [
        ", ".join(f"{f.name}={level}" for f, level in zip(trials.factors, levels, strict=True))
        for levels in wanted
    ]
    there = set(trials.variant)
    return [name for name in names if name not in there]


def _levels(line: Line, factors: Sequence[Factor]) -> dict[str, str]:
    return {
        factor.name: factor.spelling[line.cells[factor.name]] for factor in factors if line.cells[factor.name]
    }


def _check_columns(sheet: Sheet, question: Question) -> None:
    asked = [question.response, *(question.factors or ()), *([question.block] if question.block else [])]
    for column in asked:
        if column not in sheet.columns:
            raise ResultsError(
                f"{sheet.source}: has no column `{column}`. {suggestion(column, sheet.columns)}"
            )
    twice = next((column for column in asked if asked.count(column) > 1), None)
    if twice is not None:
        raise ResultsError(f"{sheet.source}: `{twice}` is asked for in two roles. Give each column one.")
    if question.block:
        empty = next((line for line in sheet.lines if not line.cells[question.block]), None)
        if empty is not None:
            raise ResultsError(f"{sheet.source}:{empty.number}: `{question.block}` must say which block.")


def _number(sheet: Sheet, line: Line, column: str) -> float:
    """NaN for a run that gave nothing."""
    text = line.cells[column]
    try:
        value = float(text or "nan")
    except ValueError:
        value = math.inf
    if abs(value) > MOST:
        raise ResultsError(
            f"{sheet.source}:{line.number}: `{column}` must be a number such as 0.91, "
            f"or empty for a run that failed, but got '{text}'."
        )
    return value

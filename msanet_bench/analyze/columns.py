"""Which columns of a table are factors, and their levels."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msanet_bench.analyze.question import Question
from msanet_bench.analyze.sheet import Sheet
from msanet_bench.errors import ResultsError

# A column of more different values is taken for something measured, unless it is asked for.
_MOST_LEVELS = 12
_FLAT = "it never changes"
# Columns of these names tell repetitions and outcomes apart, not settings.
LIKELY_BLOCKS = {"seed", "fold"}
_NO_SETTING = LIKELY_BLOCKS | {"run", "replicate", "rep", "repeat", "repetition", "trial", "id", "status"}
# Levels of a component that is not there.
_ABSENT = {"off", "none", "no", "false", "without"}


@dataclass(frozen=True, slots=True)
class Factor:
    """A column that was varied.

    Attributes:
        levels: In the order of the file, or ascending where all are numbers.
        spelling: The level of each text that stands in the column: 1 and 1.0 are one level.
        positions: Where each level lies, if all are numbers; otherwise empty.
    """

    name: str
    levels: tuple[str, ...]
    spelling: Mapping[str, str]
    positions: Mapping[str, float]

    @property
    def present(self) -> tuple[str, str]:
        """Of two levels, the one with the component, then the one without it: (on, off)."""
        first, second = self.levels
        return (first, second) if second.lower() in _ABSENT else (second, first)


def choose_factors(sheet: Sheet, question: Question) -> tuple[tuple[Factor, ...], dict[str, list[str]]]:
    """The factors, and why other columns are none: names by reason.

    Raises:
        ResultsError: there is no factor, or one that is asked for has a single level.
    """
    if question.factors is not None:
        return tuple(_asked(sheet, name) for name in question.factors), {}
    used = {question.response, question.block}
    columns = [factor_of(sheet, name) for name in sheet.columns if name not in used]
    reasons = {factor.name: _no_factor(factor) for factor in columns}
    candidates = [factor for factor in columns if not reasons[factor.name]]
    reasons |= dict.fromkeys(_consequences(sheet, candidates), "it follows from others")
    found = tuple(factor for factor in candidates if not reasons[factor.name])
    if not found:
        raise ResultsError(f"{sheet.source}: no column looks like a factor. Name them with --factors.")
    told: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        if reason and reason != _FLAT:
            told.setdefault(reason, []).append(name)
    return found, told


def factor_of(sheet: Sheet, name: str) -> Factor:
    """The levels of a column; empty cells are none."""
    texts = list(dict.fromkeys(cell for cell in sheet.cells(name) if cell))
    values = {text: _value(text) for text in texts}
    if not texts or not all(map(math.isfinite, values.values())):
        return Factor(name, tuple(texts), {text: text for text in texts}, {})
    first: dict[float, str] = {}
    for text, value in values.items():
        first.setdefault(value, text)
    ascending = sorted(first)
    return Factor(
        name=name,
        levels=tuple(first[value] for value in ascending),
        spelling={text: first[value] for text, value in values.items()},
        positions={first[value]: value for value in ascending},
    )


def _asked(sheet: Sheet, name: str) -> Factor:
    factor = factor_of(sheet, name)
    if len(factor.levels) < 2:  # noqa: PLR2004 - two to compare
        raise ResultsError(f"{sheet.source}: `{name}` has one level only, so nothing can be compared.")
    return factor


def _no_factor(factor: Factor) -> str:
    """Why a column is no factor; empty if it may be one."""
    if factor.name.lower() in _NO_SETTING:
        return "its name is one of repetitions or outcomes"
    if len(factor.levels) < 2:  # noqa: PLR2004 - two to compare
        return _FLAT
    if len(factor.levels) > _MOST_LEVELS:
        return f"it has more than {_MOST_LEVELS} values"
    return ""


def _consequences(sheet: Sheet, candidates: Sequence[Factor]) -> Iterator[str]:
    """The columns that the others determine: names of combinations, and what was counted of them.

    Numbers are asked first, the last column before the others, then names in their order. Two levels that
    follow from other factors may be a fraction of a design, so they stay unless they name the cells.
    """
    left = list(candidates)
    numbers = [factor for factor in reversed(candidates) if factor.positions]
    for factor in [*numbers, *(factor for factor in candidates if not factor.positions)]:
        others = [other for other in left if other is not factor]
        cells = _num_cells(sheet, left)
        says_enough = len(factor.levels) == cells or (factor.positions and len(factor.levels) > 2)  # noqa: PLR2004 - see above
        if others and says_enough and cells == _num_cells(sheet, others):
            left = others
            yield factor.name


def _num_cells(sheet: Sheet, factors: Sequence[Factor]) -> int:
    return len({tuple(line.cells[factor.name] for factor in factors) for line in sheet.lines})


def _value(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

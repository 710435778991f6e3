"""Numbers as they are printed: as many digits as the data support."""

import math
from collections.abc import Sequence
from decimal import Decimal

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.analysis.power import MOST_SEEDS
from msanet_bench.analysis.verdicts import Verdict
from msanet_bench.analyze import Analysis
from msanet_bench.analyze.fitted import Row
from msanet_bench.analyze.question import Question

_MOST_DECIMALS = 8
_MOST_NAMED = 5


def decimals(analysis: Analysis) -> int:
    """Two digits of the smallest standard error; without one, one more than the response has."""
    found = [row.contrast for family in analysis.families for row in family.rows if row.contrast]
    errors = [one.se for one in found if one.se > 0]
    if errors:
        return min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(min(errors)))))
    texts = analysis.sheet.cells(analysis.question.response)
    return min(_MOST_DECIMALS, 1 + max(map(_decimals_of, texts)))


def _decimals_of(text: str) -> int:
    """Those of `0.25` and of `25e-2`."""
    exponent = Decimal(text).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def interval(found: Contrast, places: int) -> str:
    """`+0.41 [+0.13, +0.69]`, or the estimate alone."""
    text = signed(found.estimate, places)
    if not found.has_interval:
        return text
    return f"{text} [{signed(found.low, places)}, {signed(found.high, places)}]"


def half_width(found: Contrast, places: int) -> str:
    """`+0.41 +/- 0.28`, or the estimate alone."""
    text = signed(found.estimate, places)
    return f"{text} +/- {found.high - found.estimate:.{places}f}" if found.has_interval else text


def signed(value: float, places: int) -> str:
    # adding 0.0 turns a rounded -0.0 into 0.0
    return f"{round(value, places) + 0.0:+.{places}f}"


def size(value: float, places: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{places}f}"


def p_text(p: float) -> str:
    """`.031`, `<.001` or `-`."""
    if math.isnan(p):
        return "-"
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")  # noqa: PLR2004 - three digits


def verdict_text(row: Row, verdict: Verdict, question: Question) -> str:
    """The word, and of what is unresolved how many repetitions are missing."""
    if verdict.is_resolved:
        return verdict.word
    more = f"+{row.more}" if row.more is not None else f"more than {MOST_SEEDS}"
    return f"{verdict.word} ({more} {question.repetition})"


def some(names: Sequence[str]) -> str:
    """The first five, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return "; ".join(names[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def plural(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"

"""The statistics of the report for anybody's table of results: a CSV file, a response and some factors."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from msanet_bench.analysis.noise import pairing_gain, unequal_spread_p
from msanet_bench.analysis.sign_flip import MOST_PAIRS, sign_flip_p
from msanet_bench.analyze.families import families
from msanet_bench.analyze.fitted import Family, Fitted, fit_trials
from msanet_bench.analyze.question import Question
from msanet_bench.analyze.sheet import Sheet, read_sheet
from msanet_bench.analyze.trials import Trials, read_trials
from msanet_bench.analyze.two_levels import (
    Credit,
    Screening,
    can_be_read_by_signs,
    credit,
    fraction,
    screen,
)
from msanet_bench.errors import ResultsError

__all__ = ["Analysis", "Exact", "Question", "analyze", "analyze_sheet"]


@dataclass(frozen=True, slots=True)
class Exact:
    """The exact p of two variants in pairs: as many sign flips as there are."""

    pairs: int
    p: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a table says.

    Attributes:
        families: None has an interval where nothing is repeated; then `screening` has what can be said.
        no_credit: Why a two-level design has no credit; empty if it has, or if nobody asks.
        not_a_fraction: Why a design without matched pairs could not be read by signs either.
        spread_p: That all cells deviate alike; NaN where they have too few values.
        pairing_gain: How many times as many rows would be needed without blocks; NaN without them.
    """

    sheet: Sheet
    fitted: Fitted
    families: tuple[Family, ...]
    not_a_fraction: str
    credit: Credit | None
    no_credit: str
    screening: Screening | None
    exact: Exact | None
    spread_p: float
    pairing_gain: float

    @property
    def trials(self) -> Trials:
        return self.fitted.trials

    @property
    def question(self) -> Question:
        return self.fitted.question


def analyze(path: Path, question: Question) -> Analysis:
    """Read a table and answer a question of it.

    Raises:
        ResultsError: the file or the question is not in order.
    """
    return analyze_sheet(read_sheet(path), question)


def analyze_sheet(sheet: Sheet, question: Question) -> Analysis:
    """The same of a table that was read already.

    Raises:
        ResultsError: the table or the question is not in order.
    """
    _check(question)
    fitted = fit_trials(read_trials(sheet, question), question)
    found, not_a_fraction = _families(fitted)
    earned = credit(fitted)
    return Analysis(
        sheet=sheet,
        fitted=fitted,
        families=found,
        not_a_fraction=not_a_fraction,
        credit=None if isinstance(earned, str) else earned,
        no_credit=earned if isinstance(earned, str) else "",
        screening=None if fitted.has_error else screen(fitted),
        exact=_exact(fitted),
        spread_p=unequal_spread_p(fitted.trials.variant, fitted.fit.residuals.tolist()),
        pairing_gain=pairing_gain(_by_variant(fitted.trials), fitted.fit) if question.block else float("nan"),
    )


def _check(question: Question) -> None:
    if question.delta is not None and not question.delta > 0:
        raise ResultsError(f"--delta: must be a positive number, but got {question.delta:g}.")
    if not 0 < question.alpha < 1:
        raise ResultsError(f"--alpha: must lie between 0 and 1, but got {question.alpha:g}.")


def _families(fitted: Fitted) -> tuple[tuple[Family, ...], str]:
    """By matched pairs; by signs where a two-level design has no pair at all."""
    by_pairs = families(fitted)
    has_pairs = any(row.groups for row in by_pairs[0].rows)
    if has_pairs or not can_be_read_by_signs(fitted.trials):
        return by_pairs, ""
    by_signs = fraction(fitted)
    return (by_pairs, by_signs) if isinstance(by_signs, str) else (by_signs, "")


def _exact(fitted: Fitted) -> Exact | None:
    """Of two variants that share at most twenty blocks, each once."""
    trials = fitted.trials
    if not fitted.question.block or len(fitted.fit.place) != 2:  # noqa: PLR2004 - first and second
        return None
    differences = list(_paired(trials))
    if not 0 < len(differences) <= MOST_PAIRS:
        return None
    return Exact(len(differences), sign_flip_p(differences))


def _paired(trials: Trials) -> Iterator[float]:
    first, second = dict.fromkeys(trials.variant)
    cells = dict(zip(zip(trials.variant, trials.block, strict=True), trials.values, strict=True))
    if len(cells) < len(trials.values):
        return  # a block has a variant twice: which of them to pair is not said
    for block in dict.fromkeys(trials.block):
        if (first, block) in cells and (second, block) in cells:
            yield cells[second, block] - cells[first, block]


def _by_variant(trials: Trials) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for name, value in zip(trials.variant, trials.values, strict=True):
        values.setdefault(name, []).append(value)
    return values

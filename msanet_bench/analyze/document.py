"""What is said of a table, before any format: headings, lines and grids of words and numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.analysis.lenth import Lenth
from msanet_bench.analyze import Analysis
from msanet_bench.analyze.fitted import Family, Row
from msanet_bench.analyze.numbers import (
    decimals,
    half_width,
    interval,
    p_text,
    signed,
    size,
    some,
    verdict_text,
)
from msanet_bench.analyze.remarks import read_lines, remarks
from msanet_bench.analyze.two_levels import Credit, Screening


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands below it."""

    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Sentences, one a line; names between backticks."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table whose first column is text."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block: TypeAlias = Heading | Lines | Grid


def document(analysis: Analysis) -> Iterator[Block]:
    """Everything, in the order of reading."""
    yield Lines(tuple(read_lines(analysis)))
    places = decimals(analysis)
    # what stands out is all that an unrepeated design has to say, main effects and interactions included
    if analysis.screening is None or analysis.screening.margins is None:
        for family in analysis.families:
            yield from _family(family, analysis, places)
    if analysis.credit is not None:
        yield from _credit(analysis.credit, analysis, places)
    if analysis.screening is not None:
        yield from _screening(analysis.screening, places)
    said = tuple(remarks(analysis))
    if said:
        yield Heading("What to know")
        yield Lines(said)


def _family(family: Family, analysis: Analysis, places: int) -> Iterator[Block]:
    explored = family.adjustment == "Benjamini-Hochberg"
    yield Heading(f"{family.title}, exploratory" if explored else family.title)
    judged = any(row.verdict is not None for row in family.rows)
    header = ["effect", family.groups, "estimate"]
    if analysis.fitted.has_error:
        level = f"{100 * (1 - analysis.question.alpha):g} %"
        header = [*header[:2], f"estimate [{level}]", *(["verdict"] if judged else [])]
        header += [f"p ({family.adjustment})", *([f"p (<{analysis.question.delta:g})"] if judged else [])]
        header += ["detects"]
    rows = tuple(_row(row, row.contrast, analysis, places) for row in family.rows if row.contrast)
    if rows:
        yield Grid(tuple(header), rows)
    reasons = dict.fromkeys(row.reason for row in family.rows if row.reason)
    if reasons:
        yield Lines(tuple(_unknown(reason, family) for reason in reasons))


def _unknown(reason: str, family: Family) -> str:
    labels = [f"`{row.label}`" for row in family.rows if row.reason == reason]
    if len(labels) == len(family.rows) > 1:
        return f"None of {len(labels)} is known: {reason}."
    return f"Not known: {some(labels)} ({reason})."


def _row(row: Row, found: Contrast, analysis: Analysis, places: int) -> tuple[str, ...]:
    cells = [row.label, str(row.groups), interval(found, places)]
    if row.verdict is not None:
        cells.append(verdict_text(row, row.verdict, analysis.question))
    if analysis.fitted.has_error:
        cells.append(p_text(row.p))
    if row.verdict is not None:
        cells.append(p_text(row.verdict.p_equivalence))
    if analysis.fitted.has_error:
        cells.append(size(row.detectable, places))
    return tuple(cells)


def _credit(credit: Credit, analysis: Analysis, places: int) -> Iterator[Block]:
    yield Heading("Credit: who earned the difference between everything and nothing?")
    header = ("component", "remove from all", "add to nothing", "average (main)", "Shapley")
    rows = [
        (
            f"{share.component} ({share.present} against {share.absent})",
            *(half_width(one, places) for one in (share.removed, share.added, share.main, share.shapley)),
        )
        for share in credit.shares
    ]
    sums = [
        sum(getattr(share, rule).estimate for share in credit.shares)
        for rule in ("removed", "added", "main", "shapley")
    ]
    rows.append(("sum", *(signed(total, places) for total in sums)))
    yield Grid(header, tuple(rows))
    told = f"Everything against nothing: {half_width(credit.whole, places)}"
    if credit.whole.has_interval:
        told += f" (half of the {100 * (1 - analysis.question.alpha):g} % interval)"
    yield Lines((f"{told}.", "The Shapley values add up to it, the others need not."))


def _screening(screening: Screening, places: int) -> Iterator[Block]:
    margins = screening.margins
    if margins is None:
        return
    yield Heading("What stands out without repetition")
    rows = [
        (label, signed(effect, places), _standing(abs(effect), margins))
        for label, effect in screening.effects
    ]
    yield Grid(("effect", "estimate", ""), tuple(rows))
    told = (
        f"Lenth's pseudo standard error of {margins.effects} effects: {margins.pseudo_se:.{places}f}; margin "
        f"of error (ME): {margins.margin:.{places}f}; of all at once (SME): "
        f"{margins.simultaneous_margin:.{places}f}."
    )
    yield Lines((told,))


def _standing(effect: float, margins: Lenth) -> str:
    if effect > margins.simultaneous_margin:
        return "active, beyond SME"
    return "active, beyond ME" if effect > margins.margin else ""

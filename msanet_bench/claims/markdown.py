"""The table of claims for a page."""

import re
from collections.abc import Iterator, Sequence

from msanet_bench.claims.found import CONFIDENCE
from msanet_bench.claims.latency import CONFIDENCE as LATENCY_CONFIDENCE
from msanet_bench.claims.verify import Ruling
from msanet_bench.claims.words import basis_words, claimed_words, found_words, summary_words
from msanet_bench.gfm import code_cell, escape, grid, marked

_BAR = re.compile(r"(?<!\\)\|")
_HEADER = ("claim", "who says so", "claimed", "found", "verdict")


def claims_table(rulings: Sequence[Ruling], command: str) -> str:
    """A row a claim, then what a reader of it should know, then where it comes from."""
    rows = [_row(ruling) for ruling in rulings]
    notes = list(_notes(rulings))
    parts = [grid(_HEADER, rows, text_columns=len(_HEADER))]
    if notes:
        parts.append("\n".join(notes))
    parts.append(
        f"{summary_words(rulings)} Intervals are at {_percent(CONFIDENCE)}, those of latencies at "
        f"{_percent(LATENCY_CONFIDENCE)}, each by itself. Recomputed by {code_cell(command)}."
    )
    return "\n\n".join(parts)


def _percent(confidence: float) -> str:
    return f"{100 * confidence:g} %"


def _row(ruling: Ruling) -> tuple[str, ...]:
    claim, basis = ruling.claim, basis_words(ruling)
    verdict = ruling.verdict if ruling.verdict == "undecided" else f"**{ruling.verdict}**"
    return (
        f"{code_cell(claim.name)} {_cell(claim.sentence)}",
        escape(claim.source),
        escape(claimed_words(ruling)),
        _cell(f"{found_words(ruling)}{f', {basis}' if basis else ''}"),
        verdict,
    )


def _cell(text: str) -> str:
    """Text with names between backticks, in which a bar ends no cell of a table."""
    return _BAR.sub(r"\\|", marked(text))


def _notes(rulings: Sequence[Ruling]) -> Iterator[str]:
    for ruling in rulings:
        told = [*([ruling.claim.note] if ruling.claim.note else ()), *_lacking(ruling)]
        if told:
            yield f"- {code_cell(ruling.claim.name)}: {' '.join(map(marked, told))}"


def _lacking(ruling: Ruling) -> Iterator[str]:
    if ruling.found.lacking:
        yield f"Lacking: {'; '.join(ruling.found.lacking)}."

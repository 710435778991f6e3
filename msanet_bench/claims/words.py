"""A ruling in words and as plain values."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msanet_bench.claims.found import Part
from msanet_bench.claims.kinds import KINDS, Unit
from msanet_bench.claims.pairs import counted
from msanet_bench.claims.quantities import show, show_range
from msanet_bench.claims.student import Interval
from msanet_bench.claims.verify import Ruling


def claimed_words(ruling: Ruling) -> str:
    """`22,500,000 to 27,500,000`."""
    return show_range(_unit(ruling), ruling.claimed)


def found_words(ruling: Ruling) -> str:
    """`+0.82 pp [-0.33, +1.96]`, or `no rows`."""
    part = ruling.part
    if part.value is None:
        return "no rows"
    value = show(_unit(ruling), part.value, signed=_is_signed(ruling))
    if part.is_exact:
        return value
    return f"{value} {_interval_words(ruling, part.interval)}"


def basis_words(ruling: Ruling) -> str:
    """Of several parts which one is shown, and what it rests on: `against x (1 of 4); 3 seeds`."""
    which = ruling.part.label if len(ruling.found.parts) > 1 else ""
    several = f"{which} (1 of {len(ruling.found.parts)})" if which else ""
    return "; ".join(words for words in (several, ruling.part.basis) if words)


def summary_words(rulings: Sequence[Ruling]) -> str:
    """`9 claims: 5 confirmed, 3 refuted, 1 undecided.` and which contradict what is declared."""
    verdicts = [ruling.verdict for ruling in rulings]
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in ("confirmed", "refuted", "undecided"))
    wrong = [ruling.claim.name for ruling in rulings if ruling.contradicts]
    told = (
        f"Contrary to what is declared: {', '.join(wrong)}."
        if wrong
        else "None is contrary to what is declared of it."
    )
    return f"{counted(len(rulings), 'claim')}: {counts}. {told}"


def text_lines(rulings: Iterable[Ruling]) -> Iterator[str]:
    """Each claim in a few lines for a terminal."""
    for ruling in rulings:
        claim = ruling.claim
        yield f"{ruling.verdict:<9}  {claim.name}: {claim.sentence}"
        basis = basis_words(ruling)
        found = f"{found_words(ruling)}{f' ({basis})' if basis else ''}"
        yield f"           {found}; claimed: {claimed_words(ruling)}"
        yield from (f"           lacking: {words}" for words in ruling.found.lacking)
        if claim.note:
            yield f"           {claim.note}"
        if ruling.contradicts:
            yield f"           contrary to what is declared: {claim.declared}"


def as_json(ruling: Ruling) -> dict[str, Any]:
    """All of a ruling, in base units; what has no end is null."""
    claim, found = ruling.claim, ruling.found
    return {
        "name": claim.name,
        "sentence": claim.sentence,
        "source": claim.source,
        "note": claim.note,
        "declared": claim.declared,
        "verdict": ruling.verdict,
        "contradicts": ruling.contradicts,
        "statistic": claim.statistic,
        "unit": _unit(ruling),
        "claimed": [_ended(ruling.claimed.low), _ended(ruling.claimed.high)],
        "confidence": found.confidence,
        "parts": [_part_json(part) for part in found.parts],
        "lacking": list(found.lacking),
    }


def _part_json(part: Part) -> dict[str, Any]:
    return {
        "label": part.label,
        "value": part.value,
        "interval": [_ended(end) for end in part.interval],
        "joint": [_ended(end) for end in part.joint],
        "pairs": part.pairs,
        "basis": part.basis,
    }


def _interval_words(ruling: Ruling, interval: Interval) -> str:
    if not math.isfinite(interval.low):
        return "[no interval]"
    low, high = (show(_unit(ruling), end, signed=_is_signed(ruling)).removesuffix(" pp") for end in interval)
    return f"[{low}, {high}]"


def _unit(ruling: Ruling) -> Unit:
    return KINDS[ruling.claim.statistic].unit


def _is_signed(ruling: Ruling) -> bool:
    return ruling.claim.statistic.endswith("_difference")


def _ended(value: float) -> float | None:
    return value if math.isfinite(value) else None

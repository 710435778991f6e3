"""Every claim of a file recomputed from rows and networks, and judged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from msanet_bench.claims.effects import interaction, main_effect
from msanet_bench.claims.found import Found, Part, exact
from msanet_bench.claims.kinds import KINDS
from msanet_bench.claims.latency import latency_ratio
from msanet_bench.claims.live import live_number
from msanet_bench.claims.pairs import accuracy_difference
from msanet_bench.claims.parse import Claims, Stated
from msanet_bench.claims.quantities import Range
from msanet_bench.claims.rows import Row, read_rows
from msanet_bench.claims.spec import Claim, Network
from msanet_bench.errors import BenchError, Problem, SpecError

Verdict: TypeAlias = Literal["confirmed", "refuted", "undecided"]
Rows: TypeAlias = Callable[[Path], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Ruling:
    """A claim with its verdict.

    Attributes:
        part: The number that decides, or of what is undecided the one that is least as claimed.
    """

    claim: Claim
    claimed: Range
    found: Found
    part: Part
    verdict: Verdict

    @property
    def contradicts(self) -> bool:
        """Whether the verdict is the opposite of what the file declares."""
        return (self.claim.declared, self.verdict) in {("holds", "refuted"), ("refuted", "confirmed")}


def verify(claims: Claims) -> Iterator[Ruling]:
    """The ruling of each claim, in the order of the file.

    Raises:
        SpecError: a number cannot be told, with the line of its claim.
        ResultsError: a results folder cannot be read.
    """
    rows = cache(read_rows)
    for stated in claims.stated:
        yield _ruling(stated, _found(claims, stated, rows))


def judge(claimed: Range, found: Found) -> tuple[Verdict, Part]:
    """What intervals say of a claim, and the part that says it.

    Confirmed if every part's interval lies within the claimed range, so the claim is never confirmed more
    easily for speaking of several; refuted if one lies without it although all are widened to hold at once.
    """
    refuting = [part for part in found.parts if claimed.holds_none(part.joint)]
    worst = min(refuting or found.parts, key=lambda part: _room(claimed, part))
    if refuting:
        return "refuted", worst
    is_confirmed = all(claimed.holds_all(part.interval) for part in found.parts)
    return "confirmed" if is_confirmed else "undecided", worst


def _room(claimed: Range, part: Part) -> float:
    """How far inside the claimed range an estimate lies; outside it, less than 0."""
    if part.value is None:
        return float("-inf")
    return min(part.value - claimed.low, claimed.high - part.value)


def _ruling(stated: Stated, found: Found) -> Ruling:
    verdict, part = judge(stated.claimed, found)
    return Ruling(stated.claim, stated.claimed, found, part, verdict)


def _found(claims: Claims, stated: Stated, rows: Rows) -> Found:
    claim = stated.claim
    match KINDS[claim.statistic].home:
        case "live":
            try:
                return exact(_live(claim, claims.networks[str(claim.network)]))
            except BenchError as error:
                raise SpecError(claims.source, [Problem(stated.line, claim.name, str(error))]) from error
        case "latency":
            return latency_ratio(claims.results[str(claim.results)], claim)
        case "rows":
            return _of_rows(claim, rows(claims.results[str(claim.results)]))


def _live(claim: Claim, network: Network) -> float:
    here, there = (_changes(given) for given in (claim.variant, claim.against))
    number = live_number(claim, network, here)
    if claim.statistic.endswith("_difference"):
        return number - live_number(claim, network, there)
    if claim.statistic.endswith("_ratio"):
        return number / live_number(claim, network, there)
    return number


def _changes(given: object) -> Mapping[str, object]:
    return given if isinstance(given, Mapping) else {}


def _of_rows(claim: Claim, rows: Sequence[Row]) -> Found:
    if claim.statistic == "accuracy_difference":
        against = (claim.against,) if isinstance(claim.against, str) else tuple(claim.against or ())
        return accuracy_difference(rows, str(claim.variant), against)
    effect = main_effect if claim.statistic == "main_effect" else interaction
    return effect(rows, claim.factors or {})

"""Rules that join several keys of a claim."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from msanet_bench.claims.kinds import KINDS, SPECIAL, Kind
from msanet_bench.claims.networks import refusal, settings
from msanet_bench.claims.quantities import Range, claimed_range, parse_value
from msanet_bench.claims.spec import Claim, Network
from msanet_bench.violations import shown, suggestion
from msanet_bench.yaml_document import Path as Place

_WORDS = ("equals", "above", "below")
_TWO = 2


class Broken(NamedTuple):
    """A broken rule: where in the claim, and what."""

    inside: Place
    message: str


def broken_rules(
    claim: Claim,
    given: Collection[str],
    networks: Mapping[str, Network | None],
    results: Collection[str],
) -> Iterator[Broken]:
    """What is wrong with a claim whose keys are in order one by one; `given` are those that stand there."""
    kind = KINDS[claim.statistic]
    yield from _value_problems(claim, kind)
    found = [*_key_problems(claim, kind, given), *_name_problems(claim, networks, results)]
    yield from found
    if not found:
        yield from (
            _live_problems(claim, kind, networks) if kind.home == "live" else _row_problems(claim, kind)
        )


def range_of(claim: Claim) -> Range:
    """Where the true value lies if the claim is true; raises ValueError for what `broken_rules` names."""
    unit = KINDS[claim.statistic].unit
    word = next(word for word in _WORDS if getattr(claim, word) is not None)
    tolerance = 0.0 if claim.tolerance is None else parse_value(unit, claim.tolerance)
    return claimed_range(word, parse_value(unit, getattr(claim, word)), tolerance)


def _value_problems(claim: Claim, kind: Kind) -> Iterator[Broken]:
    words = [word for word in _WORDS if getattr(claim, word) is not None]
    if len(words) != 1:
        got = " and ".join(words) if words else "none"
        yield Broken((), f"must have one of `equals`, `above` and `below`, but got {got}.")
    for word in (*words, *(() if claim.tolerance is None else ("tolerance",))):
        try:
            value = parse_value(kind.unit, getattr(claim, word))
        except ValueError as error:
            yield Broken((word,), str(error))
            continue
        if word == "tolerance" and value < 0:
            yield Broken((word,), f"must not be negative, but got {shown(claim.tolerance)}.")


def _key_problems(claim: Claim, kind: Kind, given: Collection[str]) -> Iterator[Broken]:
    allowed = (*kind.needs, *kind.takes)
    for key in given:
        if key in SPECIAL and key not in allowed:
            law = f"means nothing to the statistic `{claim.statistic}`. Remove it"
            yield Broken((key,), f"{law}; it takes: {', '.join(allowed)}.")
    for key in kind.needs:
        if getattr(claim, key) is None:
            yield Broken((), f"the statistic `{claim.statistic}` needs the key `{key}`.")


def _name_problems(claim: Claim, networks: Collection[str], results: Collection[str]) -> Iterator[Broken]:
    for key, name, known in (("network", claim.network, networks), ("results", claim.results, results)):
        if name is not None and name not in known:
            yield Broken(
                (key,), f"must be a name that stands under `{key.rstrip('s')}s`. {suggestion(name, known)}"
            )


def _live_problems(claim: Claim, kind: Kind, networks: Mapping[str, Network | None]) -> Iterator[Broken]:
    network = networks[str(claim.network)]
    behind = claim.behind if "behind" in kind.takes else ""
    named = {"variant": claim.variant or {}, "against": claim.against}
    sides = []
    for key, changes in named.items():
        if isinstance(changes, Mapping) and network is not None:
            # the network as it is has been judged where it stands
            broken = refusal(network, changes, behind) if changes or behind else None
            if broken is not None:
                yield Broken((key, broken.path) if broken.path in changes else (key,), broken.message)
                return
            sides.append(settings(network, changes))
        elif changes is not None and not isinstance(changes, Mapping):
            yield Broken((key,), f"must be a mapping of paths to values, but got {shown(changes)}.")
    if len(sides) == _TWO and sides[0] == sides[1]:
        yield Broken(("against",), "must be another network than `variant`, but both are the same.")


def _row_problems(claim: Claim, kind: Kind) -> Iterator[Broken]:
    if claim.variant is not None and not isinstance(claim.variant, str):
        yield Broken(("variant",), f"must be the name of a variant, but got {shown(claim.variant)}.")
    several = kind.home == "rows"
    if isinstance(claim.against, Mapping) or (isinstance(claim.against, tuple) and not several):
        law = (
            "must be the name of a variant, or a list of names"
            if several
            else "must be the name of a variant"
        )
        yield Broken(("against",), f"{law}, but got {shown(claim.against)}.")
    elif claim.variant in ((claim.against,) if isinstance(claim.against, str) else claim.against or ()):
        yield Broken(("against",), f"must be another variant than `{claim.variant}`.")
    yield from _factor_problems(claim)


def _factor_problems(claim: Claim) -> Iterator[Broken]:
    number = len(claim.factors or {})
    if claim.statistic == "main_effect" and number != 1:
        yield Broken(("factors",), f"`main_effect` is of one factor, but got {number}.")
    if claim.statistic == "interaction" and number < _TWO:
        yield Broken(("factors",), f"`interaction` is of two factors or more, but got {number}.")
    for name, (first, second) in (claim.factors or {}).items():
        if first == second:
            yield Broken(
                ("factors", name), f"must have two different levels, but got {shown([first, second])}."
            )

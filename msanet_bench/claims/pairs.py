"""Differences of accuracies of two variants, over paired seeds."""

from collections.abc import Iterable, Sequence

from msanet_bench.claims.found import Found, estimated, together
from msanet_bench.claims.rows import Pair, Row


def accuracy_difference(rows: Sequence[Row], variant: str, against: Sequence[str]) -> Found:
    """A variant minus each of others, seed by seed."""
    return together([_difference(rows, variant, other, len(against)) for other in against])


def broken_words(rows: Iterable[Row]) -> list[str]:
    """Cells that ended without a result: what is left of their pairs is a choice of the lucky ones."""
    return [f"`{row.variant}` with {seed_of(row.pair)} ended as {row.status}" for row in rows]


def seed_of(pair: Pair) -> str:
    seed, replicate = pair
    return f"seed {seed}, replicate {replicate}" if replicate else f"seed {seed}"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _difference(rows: Sequence[Row], variant: str, other: str, parts: int) -> Found:
    sides = {name: {row.pair: row for row in rows if row.variant == name} for name in (variant, other)}
    ones, others = sides[variant], sides[other]
    both = [pair for pair in ones if pair in others]
    broken = [side[pair] for pair in both for side in (ones, others) if side[pair].accuracy is None]
    differences = [
        mine - theirs
        for mine, theirs in ((ones[pair].accuracy, others[pair].accuracy) for pair in both)
        if mine is not None and theirs is not None
    ]
    basis = counted(len(differences), "seed")
    part = estimated(f"against `{other}`", differences, parts=parts, basis=basis, is_biased=bool(broken))
    lacking = [f"no rows of `{name}`" for name, side in sides.items() if not side]
    if not lacking:
        lacking = _unpaired(variant, ones, others) + _unpaired(other, others, ones)
    return Found((part,), (*lacking, *broken_words(broken)))


def _unpaired(name: str, mine: Iterable[Pair], theirs: Iterable[Pair]) -> list[str]:
    there = set(mine)
    return [f"no row of `{name}` with {seed_of(pair)}" for pair in theirs if pair not in there]

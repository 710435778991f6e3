"""Whether a checkpoint is that of a run, and what a reader should know when the run goes on."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msanet_bench.errors import BenchError
from msanet_bench.single.card import Card
from msanet_bench.single.origin import Given


class Resumed(NamedTuple):
    """A card with the curve so far, and notes on what differs between its stretches."""

    card: Card
    notes: tuple[str, ...]


def going_on(path: Path, before: Card, now: Card, given: Given | None) -> Resumed:
    """The card of a run that goes on.

    Raises:
        BenchError: what is there began as another run; the message says in what they differ.
    """
    differences = list(_differences(before, now))
    if differences:
        raise BenchError(
            f"{path}: is of another run, and --resume goes on with the same one: {'; '.join(differences)}. "
            "Name another file with --out."
        )
    if given is not None and (before.init is None or before.init.sha256 != given.sha256):
        raise BenchError(
            f"{path}: did not begin with the weights of {given.path}. Leave --init out to go on as it began, "
            "or name another file with --out."
        )
    if before.is_finished:
        return Resumed(before, ())
    stretches = dict.fromkeys((*before.stretches, *now.stretches))
    card = before.model_copy(update={"stretches": tuple(stretches)})
    return Resumed(card, tuple(_changes(path, before, now)))


def _changes(path: Path, before: Card, now: Card) -> Iterator[str]:
    then, here = before.stretches[-1].model_dump(), now.stretches[-1].model_dump()
    for name in then:
        if then[name] != here[name]:
            yield (
                f"{path}: its {before.epochs} epochs so far had {name} {then[name]}, those to come have "
                f"{here[name]}: the end has not the bits of an undisturbed run."
            )


def _differences(before: Card, now: Card) -> Iterator[str]:
    if before.key == now.key:
        return
    for name in ("variant", "seed", "data_digest"):
        then, here = getattr(before, name), getattr(now, name)
        if then != here:
            yield f"{name} is {then} there and {here} here"
    for part in ("data", "train"):
        then, here = (getattr(card.settings, part).model_dump(mode="json") for card in (before, now))
        yield from _differing(part, then, here)
    if before.variant == now.variant and before.settings.model != now.settings.model:
        yield "the network differs"


def _differing(part: str, then: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for name in then:
        if then[name] != here[name]:
            yield f"{part}.{name} is {then[name]} there and {here[name]} here"

"""Changes of a plan after results could be seen: what the manifest remembers of them.

An edited experiment plans only the difference. Whoever changes a plan after a look at results can choose what
suits them: so each change stands in the manifest, and every look has its share of the chance of a false
claim.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msanet_bench.errors import ResultsError
from msanet_bench.migrations import migrated
from msanet_bench.plan import Cell
from msanet_bench.spec import Experiment

Amendment: TypeAlias = Mapping[str, Any]

# of a key that one plan has and the other has not
_ABSENT = None


@dataclass(frozen=True, slots=True)
class History:
    """What a results folder remembers of its plans, the last one first of all.

    Attributes:
        experiment: As plain values; empty in a new folder.
        keys: The cells that were planned.
        looks: The seeds of every plan whose results could be seen, the last plan's last.
        amendments: Every change since the first record, in order.
        added_seeds: How many seeds beyond those of the file a variant has.
        accepted_code: Digests of other code whose cells were accepted.
        choices: What the machine decided of `train.auto`, key by key.
    """

    experiment: Mapping[str, Any] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    looks: tuple[tuple[int, ...], ...] = ()
    amendments: tuple[Amendment, ...] = ()
    added_seeds: Mapping[str, int] = field(default_factory=dict)
    accepted_code: frozenset[str] = frozenset()
    choices: tuple[Mapping[str, Any], ...] = ()


def read_history(results: Path) -> History:
    """The history of a results folder; an empty one if nothing was planned there.

    Raises:
        ResultsError: the manifest is damaged or newer than this program.
    """
    file = results / "manifest.json"
    if not file.exists():
        return History()
    try:
        fields = migrated("manifest", str(file), json.loads(file.read_text(encoding="utf-8")))
        return History(
            experiment=fields["experiment"],
            keys=frozenset(cell["key"] for cell in fields["cells"]),
            looks=tuple(map(tuple, fields.get("looks") or [fields["experiment"]["seeds"]])),
            amendments=tuple(fields.get("amendments", ())),
            added_seeds=fields.get("added_seeds", {}),
            accepted_code=frozenset(fields.get("accepted_code", ())),
            choices=tuple(fields.get("choices", ())),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            f"{file}: not a manifest ({type(error).__name__}: {error}). Mend it, or move it away: it is made "
            "anew from the experiment, but forgets earlier plans."
        ) from error


def seeds_beyond(seeds: Sequence[int], number: int) -> list[int]:
    """The first seeds, from 0, that a file does not name."""
    return list(islice((seed for seed in count() if seed not in seeds), number))


def planned(
    before: History,
    experiment: Experiment,
    cells: Sequence[Cell],
    added: Mapping[str, int],
    *,
    has_results: bool,
) -> History:
    """Today's plan, with a look and an amendment if it differs from one whose results could be seen.

    Before the first result a plan may change at will.
    """
    fields = experiment.model_dump(mode="json")
    keys = frozenset(cell.key for cell in cells)
    seeds = tuple(dict.fromkeys(cell.seed for cell in cells))
    earlier = before.looks if has_results else ()
    changed = dict(_differences(before.experiment, fields))
    changed |= {f"added seeds of {name}": values for name, values in _differences(before.added_seeds, added)}
    amendment = {
        "changed": changed,
        "cells": {
            "kept": len(keys & before.keys),
            "new": len(keys - before.keys),
            "orphaned": len(before.keys - keys),
        },
    }
    is_amended = bool(has_results and before.experiment and changed)
    return replace(
        before,
        experiment=fields,
        keys=keys,
        looks=(*earlier[: None if earlier[-1:] != (seeds,) else -1], seeds),
        amendments=(*before.amendments, amendment) if is_amended else before.amendments,
        added_seeds=added,
    )


def decided(history: History, decision: Literal["accepted", "trained again"], code: str) -> History:
    """The history with what was decided of cells of other code than this; once, however often it is asked."""
    amendment = {"other_code": decision, "now": code}
    is_known = history.amendments[-1:] == (amendment,)
    return history if is_known else replace(history, amendments=(*history.amendments, amendment))


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], at: str = ""
) -> Iterator[tuple[str, list[Any]]]:
    """The dotted paths in which two mappings differ, and both values."""
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key, _ABSENT), now.get(key, _ABSENT)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, f"{at}{key}.")
        elif old != new:
            yield f"{at}{key}", [old, new]

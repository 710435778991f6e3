"""Whether results belong together: one experiment, the same images, and no two numbers for one cell."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msanet_bench.errors import ResultsError
from msanet_bench.journal import Attempt, final_attempts
from msanet_bench.merge.sources import Source, line_of
from msanet_bench.records import Record

_LONGEST = 60
_ABSENT = "absent"

# What must be equal, and what it is when it is not.
_PARTS: Mapping[str, str] = {
    "experiment": "another experiment",
    "experiment_digest": "another experiment",
    "data_digest": "other images",
    "added_seeds": "other added seeds",
    "cells": "cells of another version of msanet-bench",
}
_NUMBERS = ("measures", "curve", "test_images", "correct")


class Difference(NamedTuple):
    """The first place at which two values differ."""

    path: str
    one: object
    other: object


def require_one_experiment(one: Source, other: Source) -> None:
    """Two folders hold results of one plan.

    Raises:
        ResultsError: they do not; it says where they differ first.
    """
    for name, what in _PARTS.items():
        # older manifests lack some parts, and that is no difference where there was nothing to say
        here, there = (each.manifest.get(name) or None for each in (other, one))
        found = first_difference(there, here, name)
        if found is not None:
            raise ResultsError(
                f"{other.folder}: {what} than {one.folder}: `{found.path.removeprefix('experiment.')}` is "
                f"{_text(found.other)} here and {_text(found.one)} there. Only results of one experiment on "
                "the same images can be merged."
            )


def require_same_numbers(sources: Sequence[Source], attempts: Sequence[Attempt]) -> None:
    """What counts for a cell in a folder has the numbers of what counts for it in all.

    Raises:
        ResultsError: a cell was trained twice with different numbers.
    """
    final = final_attempts(attempts)
    for source in sources:
        for key, attempt in final_attempts(source.attempts).items():
            found = _difference_in_numbers(final[key].record, attempt.record)
            if found is not None:
                raise ResultsError(_contradiction(source, attempt.record, found, _home(sources, final[key])))


def all_attempts(sources: Sequence[Source]) -> list[Attempt]:
    """Every attempt once, in the order in which they began, whatever the order of the sources."""
    lines = {line_of(each): each for source in sources for each in source.attempts}
    return [lines[line] for line in sorted(lines, key=lambda line: (lines[line].started, line))]


def first_difference(one: object, other: object, path: str) -> Difference | None:
    """Where two values of JSON differ first, in the order of the first one's keys; None if nowhere."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = {
            f"{path}.{key}": (one.get(key, _ABSENT), other.get(key, _ABSENT)) for key in {**one, **other}
        }
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = {f"{path}[{place}]": pair for place, pair in enumerate(zip(one, other, strict=True))}
    else:
        return None if one == other else Difference(path, one, other)
    found = (first_difference(*pair, place) for place, pair in pairs.items())
    return next((difference for difference in found if difference is not None), None)


def _difference_in_numbers(counted: Record, record: Record) -> Difference | None:
    """None where one of them has no numbers: an ok record beats a failed one."""
    if record.status != "ok":
        return None
    one, other = counted.to_json(), record.to_json()
    found = (first_difference(one[name], other[name], name) for name in _NUMBERS)
    return next((difference for difference in found if difference is not None), None)


def _contradiction(source: Source, record: Record, found: Difference, home: Source) -> str:
    return (
        f"{source.folder}: variant `{record.variant}`, seed {record.seed}: `{found.path}` is "
        f"{_text(found.other)} here and {_text(found.one)} in {home.folder}. One cell has one outcome: leave "
        "out the folder, or the line of its journal, that is not to count."
    )


def _home(sources: Sequence[Source], attempt: Attempt) -> Source:
    return next(source for source in sources if attempt in source.attempts)


def _text(value: Any) -> str:  # noqa: ANN401 (whatever JSON may hold)
    text = value if value is _ABSENT else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."

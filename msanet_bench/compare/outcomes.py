"""What became of the cells of one variant on one side or on both."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msanet_bench.analysis.noise import rounding_variance
from msanet_bench.compare.document import Failure
from msanet_bench.compare.sides import Cells, Place
from msanet_bench.records import Record

# a pruned cell was stopped on purpose
_FINE = ("ok", "pruned")


def accuracy(record: Record) -> float:
    return record.measures["accuracy"].value


def images(record: Record) -> tuple[Any, int]:
    """What must be the same for two accuracies to be about the same images."""
    return record.provenance.get("data_digest"), record.test_images


def resolution(records: Sequence[Record]) -> float:
    """The least deviation of a difference of two accuracies."""
    numbers = [record.test_images for record in records if record.test_images]
    return math.sqrt(2 * rounding_variance(min(numbers, default=0)))


def pairs_of(
    before: Mapping[Place, Record], after: Mapping[Place, Record]
) -> dict[Place, tuple[Record, Record]]:
    """The results of the same seed and replicate on the same images."""
    return {
        place: (record, after[place])
        for place, record in before.items()
        if place in after and images(record) == images(after[place])
    }


def answer_alike(pairs: Sequence[tuple[Record, Record]]) -> bool:
    """Whether every image is answered as before, as far as the records know."""
    return all(accuracy(a) == accuracy(b) and a.correct == b.correct for a, b in pairs)


def new_failure(base: Cells, head: Cells) -> Failure:
    """`!` where a cell of the head fails that does not fail in the base, `*` the other way round."""
    if any(_fails(head, place) and not _fails(base, place) for place in head):
        return "!"
    return "*" if any(_fails(base, place) and not _fails(head, place) for place in head) else ""


def reason_of(cells: Cells) -> str:
    """The first line of why its first failed cell has no result; "" where none failed."""
    return next(_reasons(cells), "")


def _fails(cells: Cells, place: Place) -> bool:
    return place in cells and cells[place].status not in _FINE


def _reasons(cells: Cells) -> Iterator[str]:
    return (r.reason.partition("\n")[0] or r.status for r in cells.values() if r.status not in _FINE)

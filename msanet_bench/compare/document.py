"""What a comparison says, before any format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

State = Literal["both", "missing", "new", "failed", "absent"]
Mark = Literal["", "~", "=", "better", "worse", "x"]
Failure = Literal["", "!", "*"]
Method = Literal["", "identical", "exact", "paired", "unpaired", "fixed networks", "two sessions"]
Level = Literal["note", "warning", "error"]


class Metric(NamedTuple):
    """A quantity; accuracies are compared by difference, costs by ratio."""

    name: str
    title: str
    unit: str
    better: Literal["higher", "lower"]

    @property
    def is_cost(self) -> bool:
        return self.better == "lower"


ACCURACY = Metric("accuracy", "accuracy, %", "fraction", "higher")
PARAMS = Metric("params", "parameters", "count", "lower")
MACS = Metric("macs", "multiply-accumulates", "count", "lower")
LATENCY = Metric("latency_p50", "latency (median), ms", "s", "lower")
ALPHA = 0.05
METRICS = (ACCURACY, PARAMS, MACS, LATENCY)


class Interval(NamedTuple):
    """A 95 % interval of a change."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One variant of a head against the base.

    Attributes:
        state: In both tables, `missing` from the head, `new` in it, `failed` where a side has no result,
            `absent` where neither knows it.
        base: The base's value in the metric's unit: an accuracy is the mean over what is compared.
        head: The same of the head.
        change: A difference of fractions for accuracies; head/base - 1 for costs.
        interval: Of the change, for itself; None where there is none.
        together: The same, so wide that all rows of the table hold at once (Bonferroni).
        p: Adjusted for the rows of the table (Holm).
        p_alone: Not adjusted.
        p_equivalence: Of the two one-sided tests that the change is within delta; not adjusted.
        counts: How many pairs, or how many values of each side where they are not paired.
        failure: `!` where the head fails and the base does not, `*` the other way round.
        left_out: How many successful results of either side have no partner.
        reason: Why nothing is compared, where nothing is.
    """

    state: State
    base: float | None = None
    head: float | None = None
    change: float | None = None
    interval: Interval | None = None
    together: Interval | None = None
    p: float | None = None
    p_alone: float | None = None
    p_equivalence: float | None = None
    counts: tuple[int, ...] = ()
    method: Method = ""
    mark: Mark = ""
    failure: Failure = ""
    left_out: int = 0
    reason: str = ""

    @property
    def is_compared(self) -> bool:
        return self.change is not None


@dataclass(frozen=True, slots=True)
class Column:
    """One head against the base: an entry a row of the table, and one of all rows."""

    head: str
    entries: tuple[Entry, ...]
    summary: Entry | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One metric under one condition, the variants being the rows.

    Attributes:
        condition: What latencies were measured under; "" for all else.
        summary: What the last row is: `mean of 5`, `geomean of 5`; "" without one.
        footnotes: What a reader of this table must know.
    """

    metric: Metric
    condition: str
    variants: tuple[str, ...]
    columns: tuple[Column, ...]
    summary: str = ""
    footnotes: tuple[str, ...] = ()

    def entries(self) -> list[tuple[str, str, Entry]]:
        """Every (head, variant, entry) of the table."""
        return [
            (column.head, variant, entry)
            for column in self.columns
            for variant, entry in zip(self.variants, column.entries, strict=True)
        ]


class Note(NamedTuple):
    """Something about the whole comparison; an error makes its tables not comparable."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A base and its heads.

    Attributes:
        paths: Where each table was read from, by its label; the base first.
        delta: The smallest difference of accuracies that matters, as a fraction; None if nobody says.
    """

    paths: Mapping[str, str]
    delta: float | None
    tables: tuple[Table, ...]
    notes: tuple[Note, ...]

    @property
    def base(self) -> str:
        return next(iter(self.paths))

    @property
    def heads(self) -> Sequence[str]:
        return list(self.paths)[1:]

    @property
    def is_comparable(self) -> bool:
        """Whether accuracies could be compared, in one row at least, and nothing contradicts itself."""
        of_accuracy = [table for table in self.tables if table.metric is ACCURACY]
        compared = any(entry.is_compared for table in of_accuracy for _, _, entry in table.entries())
        return compared and all(note.level != "error" for note in self.notes)

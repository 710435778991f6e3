"""A table for a paper, before any format."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from msanet_bench.report.document import Code

PLUS_MINUS = "\u00b1"


class Level(NamedTuple):
    """The level of a factor; `is_on` marks a component that is there, None one that has a name instead."""

    name: str
    is_on: bool | None


class Spread(NamedTuple):
    """A mean and its standard deviation; None of one value."""

    mean: str
    deviation: str | None


class Range(NamedTuple):
    """An interval."""

    low: str
    high: str


class Estimate(NamedTuple):
    """A value and its interval, if there is one."""

    value: str
    interval: Range | None


class Share(NamedTuple):
    """How many of those that were planned."""

    part: int
    whole: int


class Amount(NamedTuple):
    """A number as it is read, and as a program reads it: without a unit's prefix or groups of digits."""

    text: str
    plain: str


class Word(NamedTuple):
    """What stands where others have a number."""

    text: str


# None is what there is no value of.
Value: TypeAlias = str | Word | Level | Spread | Range | Estimate | Share | Amount | None
Cell: TypeAlias = Code | Value

Side: TypeAlias = Literal["left", "centre", "right"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: What it is called on the command line and, in a CSV file, at the top.
        parts: What follows the name there, once for each of a cell's numbers.
        label: What the user wants it to be called instead; empty if nothing.
    """

    name: str
    title: str
    unit: str = ""
    side: Side = "right"
    parts: tuple[str, ...] = ("",)
    label: str = ""

    @property
    def called(self) -> str:
        return self.label or self.title


@dataclass(frozen=True, slots=True)
class PaperTable:
    """What stands in the table and around it.

    Attributes:
        references: Rows from elsewhere, below a rule; `source` names the file that they are of.
        name: That of the results.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    references: tuple[tuple[Cell, ...], ...]
    source: str
    notes: tuple[str, ...]
    caption: str

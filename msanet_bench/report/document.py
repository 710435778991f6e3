"""What a report says, before any format."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


class Code(NamedTuple):
    """A name that the reader may type."""

    text: str


Cell: TypeAlias = str | Code


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text in inline Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """Items in inline Markdown."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines for a shell."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of plain text, which the writer escapes; the first `text_columns` stand left, the rest right."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    text_columns: int = 1


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of comma-separated values beside the report."""

    name: str
    text: str


class Bar(NamedTuple):
    """An estimate with its interval; without an interval `low` and `high` are NaN."""

    estimate: float
    low: float
    high: float


class ForestRow(NamedTuple):
    """One line of a forest plot."""

    label: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class Forest:
    """Differences below each other, with the band of those that are too small to matter."""

    name: str
    alt: str
    axis: str
    rows: tuple[ForestRow, ...]
    band: float


class Point(NamedTuple):
    """One variant of a scatter plot; `name` is the whole one where the label is short."""

    label: str
    x: Bar
    y: Bar
    is_baseline: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scatter:
    """Two quantities against each other, each with its interval."""

    name: str
    alt: str
    x_axis: str
    y_axis: str
    points: tuple[Point, ...]


Figure: TypeAlias = Forest | Scatter
Block: TypeAlias = Paragraph | Bullets | Commands | Table | DataFile | Forest | Scatter


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A title and its sections, in the order of reading."""

    title: str
    sections: tuple[Section, ...]

"""What a report says, before any format."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias


class Code(NamedTuple):
    """A name that the reader may type."""

    text: str


Cell: TypeAlias = str | Code
Tone: TypeAlias = Literal["helps", "hurts", "equal", "open", "none"]


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
    wide: Bar | None = None
    tone: Tone = "none"


@dataclass(frozen=True, slots=True)
class Forest:
    """Differences below each other, with the band of those that are too small to matter."""

    name: str
    alt: str
    axis: str
    rows: tuple[ForestRow, ...]
    band: float


class Point(NamedTuple):
    """One variant of a scatter plot."""

    label: str
    x: Bar
    y: Bar
    kind: Literal["variant", "baseline", "reference"]
    front: float | None = None


@dataclass(frozen=True, slots=True)
class Scatter:
    """Two quantities against each other, each with its interval."""

    name: str
    alt: str
    x_axis: str
    y_axis: str
    points: tuple[Point, ...]


class Level(NamedTuple):
    label: str
    value: float


class Step(NamedTuple):
    label: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class Waterfall:
    name: str
    alt: str
    axis: str
    start: Level
    steps: tuple[Step, ...]
    end: Level


class MatrixCell(NamedTuple):
    value: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class Matrix:
    name: str
    alt: str
    labels: tuple[str, ...]
    cells: tuple[tuple[MatrixCell | None, ...], ...]
    explained: str


class StripRow(NamedTuple):
    label: str
    values: tuple[float, ...]
    bar: Bar


@dataclass(frozen=True, slots=True)
class Strip:
    name: str
    alt: str
    axis: str
    rows: tuple[StripRow, ...]


class BudgetRow(NamedTuple):
    label: str
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    name: str
    alt: str
    axis: str
    rows: tuple[BudgetRow, ...]
    parts: tuple[str, ...]


Figure: TypeAlias = Forest | Scatter | Waterfall | Matrix | Strip | Budget
Block: TypeAlias = Paragraph | Bullets | Commands | Table | DataFile | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A title and its sections, in the order of reading; `numbers` is all of it as JSON, unrounded."""

    title: str
    sections: tuple[Section, ...]
    numbers: str

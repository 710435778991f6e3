"""What a report says, before any format."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from msanet_bench.report.graphics import Confusion, Pictures, Reliability


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


# What a verdict says: better, worse, no effect that matters, unresolved; `none` where none was asked for.
Tone: TypeAlias = Literal["helps", "hurts", "equal", "open", "none"]


class ForestRow(NamedTuple):
    """One line of a forest plot: `bar` holds on this test set, `wide` on new data."""

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
    """One row of a scatter plot.

    A `reference` comes from elsewhere and has no interval. `front` is the probability that nothing is both
    better and cheaper; None where it is not known. `name` is the whole one where the label is short.
    """

    label: str
    x: Bar
    y: Bar
    kind: Literal["variant", "baseline", "reference"]
    front: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scatter:
    """A cost (across) against a quality (upright), each with its interval."""

    name: str
    alt: str
    x_axis: str
    y_axis: str
    points: tuple[Point, ...]


class Level(NamedTuple):
    """Where a waterfall begins or ends, in percent."""

    label: str
    value: float


class Step(NamedTuple):
    """A change between two levels, in percentage points."""

    label: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From one level to another in steps, whose sum is the difference of the two."""

    name: str
    alt: str
    axis: str
    start: Level
    steps: tuple[Step, ...]
    end: Level


class MatrixCell(NamedTuple):
    """One effect of a matrix, in percentage points."""

    value: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class Matrix:
    """Main effects on the diagonal and interactions below it; at most 12 labels.

    `cells` has one row a label; what stands above the diagonal is not drawn, None is left blank.
    """

    name: str
    alt: str
    labels: tuple[str, ...]
    cells: tuple[tuple[MatrixCell | None, ...], ...]
    explained: str


class StripRow(NamedTuple):
    """Every value of one variant, and their mean with its interval."""

    label: str
    values: tuple[float, ...]
    bar: Bar


@dataclass(frozen=True, slots=True)
class Strip:
    """Single values beside their means, one variant below the other."""

    name: str
    alt: str
    axis: str
    rows: tuple[StripRow, ...]


class BudgetRow(NamedTuple):
    """What each part adds, in the unit of the axis and in the order of the parts; none is negative."""

    label: str
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    """Totals and the parts that they are made of."""

    name: str
    alt: str
    axis: str
    rows: tuple[BudgetRow, ...]
    parts: tuple[str, ...]


class Tried(NamedTuple):
    """A trial of a search, in the unit of the axis; None of one without a result."""

    number: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """The trials of a search in the order of asking; more is better. At least one has a value."""

    name: str
    alt: str
    axis: str
    trials: tuple[Tried, ...]


Figure: TypeAlias = (
    Forest | Scatter | Waterfall | Matrix | Strip | Budget | Progress | Confusion | Reliability | Pictures
)
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
    numbers: str = "{}\n"

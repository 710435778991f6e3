"""How a cell is written, but for what formats do each in its own way."""

from collections.abc import Callable
from typing import NamedTuple

from msanet_bench.report.paper.values import (
    Amount,
    Estimate,
    Level,
    Range,
    Share,
    Spread,
    Value,
    Word,
)


class Style(NamedTuple):
    """What a format does in its own way: `text` is for words, `number` for numbers that may have a sign."""

    absent: str
    check: str
    plus_minus: str
    text: Callable[[str], str]
    number: Callable[[str], str]


def written(value: Value, style: Style) -> str:
    """`87.55 +- 0.54`, `[86.20, 88.89]`, `-0.82 [-1.45, -0.18]`, `2/3`, or a check mark."""
    match value:
        case None | Level(_, False):
            result = style.absent
        case Level(_, True):
            result = style.check
        case Spread(mean, None):
            result = mean
        case Spread(mean, deviation):
            result = f"{mean} {style.plus_minus} {deviation}"
        case Range():
            result = _interval(value, style)
        case Estimate(estimate, None):
            result = style.number(estimate)
        case Estimate(estimate, Range() as interval):
            result = f"{style.number(estimate)} {_interval(interval, style)}"
        case Share(part, whole):
            result = str(part) if part == whole else f"{part}/{whole}"
        case Level(text) | Amount(text) | Word(text) | str(text):
            result = style.text(text)
    return result


def numbers(value: Value) -> tuple[str, ...]:
    """What a program reads of a cell: a field for each number, none for a word in its place."""
    match value:
        case None | Word():
            fields: tuple[str, ...] = ()
        case Amount(_, plain):
            fields = (plain,)
        case Level(text) | str(text):
            fields = (text,)
        case Estimate(estimate, interval):
            fields = (estimate, *(interval or ()))
        case Spread() | Range() | Share():
            fields = tuple("" if part is None else str(part) for part in value)
    return fields


def _interval(interval: Range, style: Style) -> str:
    return f"[{style.number(interval.low)}, {style.number(interval.high)}]"

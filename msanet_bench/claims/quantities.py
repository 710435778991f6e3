"""Claimed values with their units, the range that a claim stands for, and how numbers are shown."""

import math
import re
from typing import NamedTuple

from msanet_bench.claims.kinds import Unit
from msanet_bench.claims.spec import Number
from msanet_bench.claims.student import Interval
from msanet_bench.units import parse_count
from msanet_bench.violations import shown

_POINTS = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*pp\s*")
_ROUNDING = 1e-12
_COUNT = re.compile(r"\s*(-?)(.*)", re.DOTALL)


class Range(NamedTuple):
    """Where the true value lies if a claim is true; the ends belong to it only if `is_closed`."""

    low: float
    high: float
    is_closed: bool

    def holds_all(self, interval: Interval) -> bool:
        if self.is_closed:
            return self.low - self._slack <= interval.low and interval.high <= self.high + self._slack
        return self.low < interval.low and interval.high < self.high

    def holds_none(self, interval: Interval) -> bool:
        if self.is_closed:
            return interval.high < self.low - self._slack or self.high + self._slack < interval.low
        return interval.high <= self.low or self.high <= interval.low

    @property
    def _slack(self) -> float:
        """The ends are sums, and 0.7 + 0.1 is less than 0.8; a single value is no sum."""
        return _ROUNDING * max(1.0, abs(self.low), abs(self.high)) if self.low < self.high else 0.0


def claimed_range(word: str, value: float, tolerance: float) -> Range:
    """What `equals`, `above` and `below` stand for."""
    if word == "equals":
        return Range(value - tolerance, value + tolerance, is_closed=True)
    if word == "above":
        return Range(value + tolerance, math.inf, is_closed=False)
    return Range(-math.inf, value - tolerance, is_closed=False)


def parse_value(unit: Unit, given: Number) -> float:
    """A value in base units: accuracies as fractions.

    Raises:
        ValueError: it is no number of this unit.
    """
    if unit == "points":
        match = _POINTS.fullmatch(str(given))
        if match is None:
            raise ValueError(f"must be percentage points such as `0.5 pp`, but got {shown(given)}.")
        return float(match[1]) / 100
    if unit == "count" and isinstance(given, str):
        sign, digits = _COUNT.fullmatch(given).groups()  # type: ignore[union-attr]  # it matches any text
        return -parse_count(digits) if sign else parse_count(digits)
    is_text = isinstance(given, str)
    if is_text:
        raise ValueError(f"must be a number, but got {shown(given)}.")
    return float(given)


def show(unit: Unit, value: float, *, signed: bool = False) -> str:
    """A value with the digits that a reader needs, and its unit; a difference with its sign."""
    sign = "+" if signed and value else ""
    match unit:
        case "points":
            return f"{100 * value:+.2f} pp"
        case "count":
            return f"{value:{sign},.0f}"
        case "pixels":
            return f"{value:{sign}g} px"
        case "share":
            return f"{100 * value:{sign}.1f} % of the image"
        case "ratio":
            return f"{value:.3f}"
        case "number":
            return f"{value:.3g}"


def show_range(unit: Unit, claimed: Range) -> str:
    """`22,500,000 to 27,500,000`, `exactly 0`, `more than 0.5 pp`: as it was written, near enough."""
    low, high = (_end(unit, end) for end in claimed[:2])
    if claimed.low == claimed.high:
        return f"exactly {low}"
    if math.isinf(claimed.low):
        return f"less than {high}"
    return f"more than {low}" if math.isinf(claimed.high) else f"{low} to {high}"


def _end(unit: Unit, value: float) -> str:
    match unit:
        case "points":
            return f"{100 * value:g} pp"
        case "count":
            return f"{value:,.0f}"
        case "pixels":
            return f"{value:g} px"
        case "share":
            return f"{100 * value:g} % of the image"
        case _:
            return f"{value:g}"

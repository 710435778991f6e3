"""Quantities with their units: how numbers with a unit are written in files and kept in records."""

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

Better = Literal["higher", "lower", "neither"]
_BETTER: Mapping[str, Better] = {word: word for word in get_args(Better)}

# Longer texts are no counts of anything, and Python would not print them.
_MOST = 10**30
_FACTORS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured quantity in base units (fraction, s, bytes, count), and which direction is better."""

    value: float | int
    unit: str
    better: Better

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "unit": self.unit, "better": self.better}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Measure":
        """A measure from its JSON; its words are kept once, however many there are.

        Raises:
            KeyError, TypeError: the fields are no measure's.
        """
        value = fields["value"]
        if not isinstance(value, int | float):
            raise TypeError(f"no value of a measure: {value!r}")
        return cls(value, sys.intern(fields["unit"]), _BETTER[fields["better"]])


def parse_points(text: str) -> float:
    """A difference of accuracies as a fraction: `0.3 pp` is 0.003.

    Raises:
        ValueError: the unit `pp` (percentage points) is missing or the number is not positive.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*pp\s*", text)
    if match is None or float(match[1]) <= 0:
        raise ValueError(
            f"must be a positive number of percentage points such as `0.5 pp`, but got {text!r}."
        )
    return float(match[1]) / 100


def parse_count(text: str) -> int:
    """A whole number with an optional suffix k, M or G: `1.5M` is 1500000.

    Raises:
        ValueError: the text is no such number, or not whole.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([kKMG]?)\s*", text)
    if match is None:
        raise ValueError(f"must be a number such as `200k` or `1.5M`, but got {text!r}.")
    value = Fraction(match[1]) * _FACTORS[match[2]]
    if value.denominator != 1 or value > _MOST:
        raise ValueError(f"must be a whole number, but got {text!r}.")
    return int(value)


def parse_duration(text: str) -> float:
    """Seconds: `90s`, `30m`, `2h` or `1.5h`.

    Raises:
        ValueError: the text is no duration above zero.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([smh])\s*", text)
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"must be a duration such as `90s`, `30m` or `2h`, but got {text!r}.")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


def parse_bytes(text: str) -> int:
    """Bytes: `500MB` or `8GB`, in powers of ten.

    Raises:
        ValueError: the text is no such size above zero.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*(MB|GB)\s*", text)
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"must be a size such as `500MB` or `8GB`, but got {text!r}.")
    return round(float(match[1]) * {"MB": 10**6, "GB": 10**9}[match[2]])


def parse_latency(text: str) -> tuple[float, Literal["s", "x"]]:
    """Seconds: `2 ms` or `350us`; or a ratio to the baseline, whose unit is x: `0.8x`.

    Raises:
        ValueError: the text is neither, or not above zero.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(us|ms|s|x)\s*", text)
    if match is None or not 0 < float(match[1]) < math.inf:
        raise ValueError(f"must be a latency such as `2 ms` or a ratio such as `0.8x`, but got {text!r}.")
    number = float(match[1])
    return (number, "x") if match[2] == "x" else (number / {"s": 1, "ms": 1e3, "us": 1e6}[match[2]], "s")

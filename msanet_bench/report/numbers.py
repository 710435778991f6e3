"""Numbers as text: fixed decimals, `-` where there is no number, never a negative zero."""

import math

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.report.document import Bar

ABSENT = "-"
_TRUSTED_DECIMALS = 9
# Below, a p-value says no more; from there on two decimals are enough.
_LEAST_P, _ROUGH_P = 0.001, 0.1


def fixed(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """A number with this many decimals."""
    if value is None or math.isnan(value):
        return ABSENT
    # Two machines differ in the last bits: rounding those away first makes both take the same side of a
    # tie. Adding 0.0 turns a rounded -0.0 into 0.0.
    rounded = round(round(value, _TRUSTED_DECIMALS), decimals) + 0.0
    return f"{rounded:+.{decimals}f}" if signed and rounded else f"{rounded:.{decimals}f}"


def percent(fraction: float | None) -> str:
    """A fraction in %: 0.93519 is `93.52`."""
    return fixed(None if fraction is None else 100 * fraction, 2)


def points(fraction: float | None) -> str:
    """A difference of fractions in percentage points, with its sign: `+1.25`."""
    return fixed(None if fraction is None else 100 * fraction, 2, signed=True)


def percent_interval(low: float, high: float) -> str:
    return ABSENT if math.isnan(low) else f"[{percent(low)}, {percent(high)}]"


def points_interval(low: float, high: float) -> str:
    return ABSENT if math.isnan(low) else f"[{points(low)}, {points(high)}]"


def bar(estimate: float, low: float, high: float) -> Bar:
    """Fractions as percent or percentage points, for a figure."""
    return Bar(100 * estimate, 100 * low, 100 * high)


def count(value: float | None, *, signed: bool = False) -> str:
    """A whole number in groups of three: `15,172,498`."""
    if value is None:
        return ABSENT
    whole = round(value)
    return f"{whole:+,}" if signed and whole else f"{whole:,}"


def three_digits(value: float | None) -> str:
    """A positive number with three significant digits, as many as a latency is known to: `0.972`, `1,030`."""
    if value is None or math.isnan(value):
        return ABSENT
    rounded = float(f"{value:.2e}")
    decimals = 2 - math.floor(math.log10(rounded)) if rounded else 2
    return f"{rounded:,.{max(decimals, 0)}f}"


def milliseconds(seconds: float | None) -> str:
    return three_digits(None if seconds is None else 1000 * seconds)


def mebibytes(size: int | None) -> str:
    return three_digits(None if size is None else size / 2**20)


def short_count(value: float) -> str:
    """About how many, for running text: `1.08 million`, `394 thousand`."""
    rounded = float(f"{abs(value):.2e}")
    for unit, name in ((1e9, " thousand million"), (1e6, " million"), (1e3, " thousand")):
        if rounded >= unit:
            return f"{three_digits(abs(value) / unit)}{name}"
    return count(abs(value))


def mebibytes_change(size: float | None) -> str:
    """Bytes as `+1.25` MiB."""
    return fixed(None if size is None else size / 2**20, 2, signed=True)


def milliseconds_change(seconds: Bar | None) -> str:
    """`+0.231 [+0.215, +0.247]` ms."""
    if seconds is None:
        return ABSENT
    estimate, low, high = (fixed(1000 * value, 3, signed=True) for value in seconds)
    return estimate if low == ABSENT else f"{estimate} [{low}, {high}]"


def probability(p: float | None) -> str:
    """A p-value: `<0.001`, `0.061`, `0.38`."""
    if p is None or math.isnan(p):
        return ABSENT
    if p < _LEAST_P:
        return f"<{_LEAST_P}"
    return fixed(p, 3 if p < _ROUGH_P else 2)


def with_half_width(contrast: Contrast) -> str:
    """`+0.57 +/- 0.09`, or the estimate alone where there is no interval."""
    half = f" \u00b1 {percent((contrast.high - contrast.low) / 2)}" if contrast.has_interval else ""
    return f"{points(contrast.estimate)}{half}"


def plural(number: int, noun: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def difference(contrast: Contrast) -> str:
    """`+1.25 pp [+0.20, +2.30]`, or the estimate alone where there is no interval."""
    interval = f" {points_interval(contrast.low, contrast.high)}" if contrast.has_interval else ""
    return f"{points(contrast.estimate)} pp{interval}"

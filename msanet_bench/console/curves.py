"""A curve in a terminal: eight dots a character, in Unicode's Braille patterns."""

from collections.abc import Sequence

# of a character: the bit of each dot, row by row from the top (Unicode 15, section 21.1)
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_EMPTY = 0x2800


def curve_rows(values: Sequence[float], width: int, height: int) -> list[str]:
    """The values from left to right as `height` lines of `width` characters, the largest at the top.

    They fill the width; equal ones lie at the bottom. Between neighbours the curve is straight.
    """
    across, up = 2 * width, 4 * height
    low, high = min(values), max(values)
    levels = [round((value - low) / (high - low) * (up - 1)) if high > low else 0 for value in values]
    cells = [[_EMPTY] * width for _ in range(height)]
    for x, y in _path(levels, across):
        row = up - 1 - y
        cells[row // 4][x // 2] |= _DOTS[row % 4][x % 2]
    return ["".join(map(chr, line)) for line in cells]


def _path(levels: Sequence[int], across: int) -> list[tuple[int, int]]:
    """The dots of a line through all levels, spread evenly over the dots across."""
    if len(levels) == 1:
        return [(0, levels[0])]
    places = [round(index * (across - 1) / (len(levels) - 1)) for index in range(len(levels))]
    dots = []
    for index in range(1, len(levels)):
        start, end = (places[index - 1], levels[index - 1]), (places[index], levels[index])
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            x, y = (round(a + (b - a) * step / steps) for a, b in zip(start, end, strict=True))
            dots.append((x, y))
    return dots

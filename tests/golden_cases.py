"""Published data sets, fitted; the numbers that were published with them stand in the tests."""

import itertools
import math
from collections.abc import Sequence

from msanet_bench.analysis.contrasts import BlockFit, fit_blocks
from msanet_bench.analysis.weights import Change

# Box, Hunter and Hunter, chapter 5: a duplicated 2^3 factorial, in Yates order of T, C, K.
PILOT_PLANT = ((59, 61), (74, 70), (50, 58), (69, 67), (50, 54), (81, 85), (46, 44), (79, 81))

# Montgomery, example 6.2: an unreplicated 2^4 factorial, in Yates order of A, B, C, D.
FILTRATION = (45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96)
FILTRATION_EFFECTS = {
    "A": 21.625,
    "B": 3.125,
    "C": 9.875,
    "D": 14.625,
    "AB": 0.125,
    "AC": -18.125,
    "AD": 16.625,
    "BC": 2.375,
    "BD": -0.375,
    "CD": -1.125,
    "ABC": 1.875,
    "ABD": 4.125,
    "ACD": -1.625,
    "BCD": -2.625,
    "ABCD": 1.375,
}

# R's `npk`: six incomplete blocks of four, the three-way interaction confounded with blocks.
NPK = {
    "N": "010111000110110010101100",
    "P": "110001011100010110010110",
    "K": "100101100101011000111010",
}
NPK_YIELD = (
    *(49.5, 62.8, 46.8, 57.0, 59.8, 58.5, 55.5, 56.0, 62.8, 55.8, 69.5, 55.0),
    *(62.0, 48.8, 45.5, 44.2, 52.0, 51.5, 49.8, 48.8, 57.2, 59.0, 53.2, 56.0),
)

# Box, Hunter and Hunter, chapter 3: the wear of two materials, each boy wearing both.
SHOES_A = (13.2, 8.2, 10.9, 14.3, 10.7, 6.6, 9.5, 10.8, 8.8, 13.3)
SHOES_B = (14.0, 8.8, 11.2, 14.2, 11.8, 6.4, 9.8, 11.3, 9.3, 13.6)

# Benjamini and Hochberg 1995, section 3.2.
HEART_P = (
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
)


def signs(names: str, cells: Sequence[str]) -> dict[str, float]:
    """The weights of a main effect or an interaction of a two-level design, by the product of signs.

    A cell is named by its letters: "TK" has T and K at their high level, "-" has none.
    """
    return {cell: math.prod(1 if name in cell else -1 for name in names) * 2 / len(cells) for cell in cells}


def yates(letters: str) -> list[str]:
    """All cells of a two-level factorial, the first letter changing fastest."""
    combinations = itertools.product((False, True), repeat=len(letters))
    return [
        "".join(letter for letter, on in zip(letters, reversed(levels), strict=True) if on) or "-"
        for levels in combinations
    ]


def levels_of(letters: str, cells: Sequence[str]) -> dict[str, dict[str, int]]:
    """What the names of cells say, as levels 0 and 1 of one factor a letter."""
    return {cell: {letter: int(letter in cell) for letter in letters} for cell in cells}


def turned_on(factor: str) -> Change:
    return Change(factor, 1, 0)


def coalitions_of(letters: str) -> dict[frozenset[str], str]:
    """Each cell of a factorial by the set of its letters."""
    return {frozenset(cell) - {"-"}: cell for cell in yates(letters)}


def pilot_plant() -> BlockFit:
    rows = [(cell, y) for cell, pair in zip(yates("TCK"), PILOT_PLANT, strict=True) for y in pair]
    return fit_blocks([cell for cell, _ in rows], ["all"] * len(rows), [y for _, y in rows])


def filtration() -> BlockFit:
    return fit_blocks(yates("ABCD"), ["all"] * 16, FILTRATION)


def npk_cells(letters: str = "NPK") -> list[str]:
    """The treatment of each of the 24 plots by the letters of these nutrients."""
    return ["".join(name for name in letters if NPK[name][row] == "1") or "-" for row in range(24)]


def peas(letters: str = "NPK") -> BlockFit:
    return fit_blocks(npk_cells(letters), [row // 4 for row in range(24)], NPK_YIELD)


def shoes() -> BlockFit:
    return fit_blocks(["A"] * 10 + ["B"] * 10, [*range(10), *range(10)], SHOES_A + SHOES_B)

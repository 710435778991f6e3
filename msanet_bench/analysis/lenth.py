"""Which effects of an unreplicated two-level design stand out, by Lenth's pseudo standard error.

Where nothing is repeated there is no error to compare with. If most effects are nothing, the smaller ones
show how large nothing is (Lenth 1989, Technometrics 31, 469-473).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

# Of fewer effects the smaller half is one or two numbers, which say nothing about how large chance is.
FEWEST_EFFECTS = 7


@dataclass(frozen=True, slots=True)
class Lenth:
    """What effects are compared with.

    Attributes:
        pseudo_se: 1.5 times the median of the effects' sizes, once those beyond 2.5 times that are set aside.
        margin: An effect of nothing lies beyond it less than once in twenty times: ME.
        simultaneous_margin: Beyond this one not even one of all the effects does so more often: SME.
    """

    effects: int
    pseudo_se: float
    margin: float
    simultaneous_margin: float


def lenth(effects: Sequence[float], *, alpha: float = 0.05) -> Lenth | None:
    """The margins of all effects that a two-level design can tell; None for fewer than seven."""
    number = len(effects)
    if number < FEWEST_EFFECTS:
        return None
    sizes = np.abs(np.asarray(effects, dtype=np.float64))
    first = 1.5 * float(np.median(sizes))
    pseudo_se = 1.5 * float(np.median(sizes[sizes < 2.5 * first])) if first > 0 else 0.0
    df = number / 3
    each = 1 - alpha / 2
    all_together = (1 + math.pow(1 - alpha, 1 / number)) / 2
    return Lenth(
        effects=number,
        pseudo_se=pseudo_se,
        margin=float(stdtrit(df, each)) * pseudo_se,
        simultaneous_margin=float(stdtrit(df, all_together)) * pseudo_se,
    )

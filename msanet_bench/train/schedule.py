"""How the learning rate moves over the steps of a run."""

import math
from typing import Literal

Schedule = Literal["constant", "one_cycle", "cosine"]

_WARM_UP = 0.3
_FIRST = 1 / 25
_LAST = _FIRST / 1e4


def lr_factor(schedule: Schedule, step: int, total: int) -> float:
    """The share of the peak learning rate at one step, counted from 0, of `total`.

    `cosine` falls from 1 towards 0 (Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, no restarts).
    `one_cycle` rises from 1/25 over the first 30 % and falls to 1/250,000 at the last step, both along a
    cosine (Smith and Topin 2018, arXiv:1708.07120, with fastai's numbers; momentum stays as it is).
    """
    if schedule == "constant":
        return 1.0
    if schedule == "cosine":
        return _between(1.0, 0.0, step / total)
    peak = max(_WARM_UP * total - 1, 0.0)
    if step < peak:
        return _between(_FIRST, 1.0, step / peak)
    # A run of one step has no way down: it is spent at the peak.
    return _between(1.0, _LAST, (step - peak) / (total - 1 - peak)) if total > 1 else 1.0


def _between(start: float, end: float, progress: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * progress))

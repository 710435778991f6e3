"""Two groups of values that share nothing: seeds that differ."""

import math
from collections.abc import Sequence

from msanet_bench.analysis.contrasts import Contrast, mean_interval, t_interval


def welch(base: Sequence[float], head: Sequence[float], *, least_sd: float = 0.0) -> Contrast:
    """The mean of `head` minus that of `base`, whose deviations may differ (Welch 1947).

    Without an interval where a group has one value.

    Args:
        base: At least one value.
        head: The same.
        least_sd: What a single value is known to; a smaller deviation of a group is raised to it.
    """
    groups = [mean_interval(values) for values in (base, head)]
    estimate = groups[1].mean - groups[0].mean
    if not all(group.has_interval for group in groups):
        return Contrast(estimate, math.nan, 0, math.nan, math.nan)
    parts = [max(group.sd, least_sd) ** 2 / group.n for group in groups]
    variance = sum(parts)
    # Satterthwaite; without any deviation the degrees of freedom do not matter
    pooled = sum(part**2 / (group.n - 1) for part, group in zip(parts, groups, strict=True))
    df = variance**2 / pooled if pooled else sum(group.n - 1 for group in groups)
    return t_interval(estimate, math.sqrt(variance), df)

"""How sure it is which variant is best, and which ones nothing beats in accuracy and cost together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msanet_bench.analysis.contrasts import NotEstimableError, contrast
from msanet_bench.analysis.pareto import (
    FloatArray,
    draw_costs,
    draw_means,
    probability_best,
    probability_on_front,
)
from msanet_bench.analysis.verdicts import holm, p_value
from msanet_bench.analysis.weights import weights_difference
from msanet_bench.report.costs import Costs
from msanet_bench.report.document import Bar
from msanet_bench.report.evidence import Evidence

MACS = "macs"
# The half-width of a 95 % interval in standard errors.
_HALF_WIDTH = 1.96


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the variants stand among each other.

    Attributes:
        top: The one with the highest mean, which is no proof that it is best.
        tied: All, `top` among them, whose difference to `top` is not shown, by Holm.
        best: How often each is best among the draws.
        on_front: How often each is on the Pareto front of accuracy and a cost, by the cost: `macs`, or
            latency by kind of device.
        draws: How many.
    """

    top: str
    tied: tuple[str, ...]
    best: Mapping[str, float]
    on_front: Mapping[str, Mapping[str, float]]
    draws: int


def find_standing(evidence: Evidence | None, costs: Costs) -> Standing | None:
    """The standing of all variants with results; None without a second seed."""
    if evidence is None or not evidence.has_error:
        return None
    fit, means = evidence.fit, draw_means(evidence.fit)
    names = fit.variants
    top = max(names, key=lambda name: fit.means[fit.place[name]])
    tables = {
        MACS: {name: _exact(profile.macs) for name, profile in costs.profiles.items() if profile.macs},
        **costs.latency,
    }
    fronts = {cost: _front(names, means, table) for cost, table in tables.items()}
    return Standing(
        top=top,
        tied=_tied(evidence, top),
        best=_by_name(names, probability_best(means)),
        on_front={cost: front for cost, front in fronts.items() if front},
        draws=len(means),
    )


def _tied(evidence: Evidence, top: str) -> tuple[str, ...]:
    others = [name for name in evidence.fit.variants if name != top]
    adjusted = holm([_p(evidence, name, top) for name in others])
    # what cannot be compared with the top, NaN, is not shown to be worse
    behind = {name for name, p in zip(others, adjusted, strict=True) if p < evidence.alpha}
    return tuple(name for name in evidence.fit.variants if name not in behind)


def _p(evidence: Evidence, name: str, top: str) -> float:
    try:
        return p_value(contrast(evidence.fit, weights_difference(name, top)))
    except NotEstimableError:
        return float("nan")


def _front(names: Sequence[str], means: FloatArray, table: Mapping[str, Bar]) -> Mapping[str, float]:
    """Of the variants whose cost is known."""
    places = [place for place, name in enumerate(names) if name in table]
    known = [table[names[place]] for place in places]
    if not places:
        return {}
    errors = [(bar.high - bar.low) / 2 / _HALF_WIDTH if bar.high > bar.low else 0.0 for bar in known]
    costs = draw_costs([bar.estimate for bar in known], errors, len(means))
    return _by_name([names[place] for place in places], probability_on_front(means[:, places], costs))


def _exact(value: float) -> Bar:
    return Bar(value, value, value)


def _by_name(names: Sequence[str], values: FloatArray) -> Mapping[str, float]:
    # Two decimals: a draw is not known any better, and the report must not depend on the last bits.
    return {name: round(float(value), 2) for name, value in zip(names, values, strict=True)}

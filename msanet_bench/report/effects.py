"""Main effects: what each factor changes, averaged over everything else that was varied."""

from dataclasses import dataclass

from msanet_bench.analysis.contrasts import BlockFit, Contrast, NotEstimableError, contrast
from msanet_bench.analysis.weights import matched_pairs, weights_main_effect
from msanet_bench.report.inputs import Inputs
from msanet_bench.report.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Effect:
    """What a level of a factor changes against the factor's first level, over matched pairs of variants.

    Attributes:
        planned_pairs: The pairs of the plan; `pairs` are those with results on both sides.
        weights: Those of the variants' means in the contrast; None where there is no pair.
        params: The change in parameters with the same weights; exact.
        macs: The change in multiply-accumulates with the same weights; None where a count is incomplete.
    """

    factor: str
    level: str
    reference: str
    pairs: int
    planned_pairs: int
    weights: dict[str, float] | None
    contrast: Contrast | None
    params: float | None
    macs: float | None


def find_effects(inputs: Inputs, fit: BlockFit | None) -> tuple[Effect, ...]:
    """One effect for each level of each factor but the first, in declared order."""
    return tuple(effect for factor in inputs.manifest.factors for effect in _of_factor(inputs, fit, factor))


def estimated(fit: BlockFit | None, weights: dict[str, float] | None) -> Contrast | None:
    if fit is None or weights is None:
        return None
    try:
        return contrast(fit, weights)
    except NotEstimableError:
        return None


def _of_factor(inputs: Inputs, fit: BlockFit | None, factor: str) -> list[Effect]:
    reference, *others = _levels(inputs.manifest, factor)
    return [_effect(inputs, fit, factor, reference, level) for level in others]


def _levels(manifest: Manifest, factor: str) -> list[str]:
    """The levels in declared order; the baseline's level comes first where it is not declared."""
    declared = manifest.factors[factor].levels
    baseline = next(variant for variant in manifest.variants if variant.name == manifest.baseline)
    own = baseline.factors.get(factor)
    return [*([own] if own is not None and own not in declared else []), *declared]


def _effect(inputs: Inputs, fit: BlockFit | None, factor: str, reference: str, level: str) -> Effect:
    plan = {variant.name: variant.factors for variant in inputs.manifest.variants}
    measured = {name: plan[name] for name in fit.variants} if fit is not None else {}
    nested = _nested(inputs.manifest, factor)
    planned = matched_pairs(plan, factor, level=level, reference=reference, nested=nested)
    pairs = matched_pairs(measured, factor, level=level, reference=reference, nested=nested)
    weights = weights_main_effect(pairs)
    return Effect(
        factor=factor,
        level=level,
        reference=reference,
        pairs=len(pairs),
        planned_pairs=len(planned),
        weights=weights,
        contrast=estimated(fit, weights),
        params=_cost(weights, {name: profile.params for name, profile in inputs.profiles.items()}),
        macs=_cost(weights, {name: profile.macs for name, profile in inputs.profiles.items()}),
    )


def _nested(manifest: Manifest, factor: str) -> set[str]:
    """The factors that apply only at some levels of this one, directly or through others."""
    found = {factor}
    while True:
        more = {
            path
            for path, other in manifest.factors.items()
            if other.needs & found or any(path.startswith(f"{parent}.") for parent in found)
        }
        if more <= found:
            return found - {factor}
        found |= more


def _cost(weights: dict[str, float] | None, costs: dict[str, int] | dict[str, int | None]) -> float | None:
    if weights is None:
        return None
    values = [costs.get(name) for name in weights]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return sum(weight * value for weight, value in zip(weights.values(), known, strict=True))

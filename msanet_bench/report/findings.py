"""What the numbers of a results folder say, as values: the report's sections only put them into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from msanet_bench.analysis.contrasts import BlockFit, Contrast, MeanInterval, fit_blocks, mean_interval
from msanet_bench.analysis.weights import weights_difference
from msanet_bench.records import Record
from msanet_bench.report.effects import Effect, estimated, find_effects
from msanet_bench.report.inputs import Inputs
from msanet_bench.report.manifest import Manifest, Planned
from msanet_bench.report.names import short_name
from msanet_bench.report.profiles import Profile


@dataclass(frozen=True, slots=True)
class VariantFinding:
    """One variant.

    Attributes:
        number: Its place in the plan, from 1.
        accuracy: Over the seeds that succeeded; None when none did.
        ok: How many seeds succeeded.
        difference: To the baseline; None for the baseline itself and where it cannot be estimated.
    """

    number: int
    name: str
    label: str
    accuracy: MeanInterval | None
    ok: int
    difference: Contrast | None
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that is computed once and said in several places.

    Attributes:
        accuracies: The accuracies of each variant's successful cells, by variant, in the order of seeds.
        fit: The block model of all successful cells; None when there are none.
    """

    inputs: Inputs
    accuracies: dict[str, list[float]]
    fit: BlockFit | None
    variants: tuple[VariantFinding, ...]
    effects: tuple[Effect, ...]

    @property
    def manifest(self) -> Manifest:
        return self.inputs.manifest

    @property
    def baseline(self) -> VariantFinding:
        return next(variant for variant in self.variants if variant.name == self.manifest.baseline)

    @property
    def records(self) -> list[Record]:
        """The successful cells in plan order."""
        return _successful(self.inputs)

    @property
    def comparisons(self) -> int:
        """How many different questions the intervals answer.

        A main effect over one pair with the baseline is that variant's difference once more.
        """
        effects = [effect.weights for effect in self.effects if effect.weights and effect.contrast]
        differences = [
            weights_difference(variant.name, self.manifest.baseline)
            for variant in self.variants
            if variant.difference is not None
        ]
        return len(set(map(_unsigned, [*effects, *differences])))


def _unsigned(weights: Mapping[str, float]) -> frozenset[tuple[str, float]]:
    """Equal for a contrast and its negative: both exclude 0 or neither does."""
    signs = {name: weight for name, weight in sorted(weights.items()) if weight}
    first = next(iter(signs.values()), 1.0)
    return frozenset((name, weight if first > 0 else -weight) for name, weight in signs.items())


def find(inputs: Inputs) -> Findings:
    """Means, differences and effects of a results folder."""
    fit = _fit(inputs)
    accuracies = _accuracies(inputs)
    return Findings(
        inputs=inputs,
        accuracies=accuracies,
        fit=fit,
        variants=tuple(
            _variant(inputs, fit, number, variant, accuracies[variant.name])
            for number, variant in enumerate(inputs.manifest.variants, start=1)
        ),
        effects=find_effects(inputs, fit),
    )


def _successful(inputs: Inputs) -> list[Record]:
    return [record for record in inputs.cells.values() if record is not None and record.status == "ok"]


def _accuracies(inputs: Inputs) -> dict[str, list[float]]:
    accuracies: dict[str, list[float]] = {variant.name: [] for variant in inputs.manifest.variants}
    for record in _successful(inputs):
        accuracies[record.variant].append(record.measures["accuracy"].value)
    return accuracies


def _fit(inputs: Inputs) -> BlockFit | None:
    # A twin (replicate above 0) stands in its seed's block, though its streams differ from the others'.
    records = _successful(inputs)
    if not records:
        return None
    return fit_blocks(
        [record.variant for record in records],
        [record.seed for record in records],
        [record.measures["accuracy"].value for record in records],
    )


def _variant(
    inputs: Inputs, fit: BlockFit | None, number: int, variant: Planned, accuracies: Sequence[float]
) -> VariantFinding:
    baseline = inputs.manifest.baseline
    weights = None if variant.name == baseline else weights_difference(variant.name, baseline)
    return VariantFinding(
        number=number,
        name=variant.name,
        label=short_name(variant.name, list(inputs.manifest.factors)),
        accuracy=_bounded(mean_interval(accuracies)) if accuracies else None,
        ok=len(accuracies),
        difference=estimated(fit, weights),
        profile=inputs.profiles.get(variant.name),
    )


def _bounded(accuracy: MeanInterval) -> MeanInterval:
    # No accuracy lies outside, so the cut takes nothing from the interval's coverage; NaN stays NaN.
    return replace(accuracy, low=max(accuracy.low, 0.0), high=min(accuracy.high, 1.0))

"""What the numbers of a results folder say, as values: the report's sections only put them into words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msanet_bench.analysis.contrasts import BlockFit, Contrast, MeanInterval, mean_interval
from msanet_bench.analysis.weights import weights_difference
from msanet_bench.records import Record
from msanet_bench.report.costs import Costs, read_costs
from msanet_bench.report.credit import Credit, find_credit
from msanet_bench.report.effects import Effect, Interaction, find_effects, find_interactions
from msanet_bench.report.evidence import Claim, Evidence, claims, gather, least_variance_of
from msanet_bench.report.external import Reference
from msanet_bench.report.inputs import Inputs
from msanet_bench.report.manifest import Manifest, Planned
from msanet_bench.report.names import short_name
from msanet_bench.report.profiles import Profile
from msanet_bench.report.standing import Standing, find_standing
from msanet_bench.report.tuning import Gain, Tuning, by_seed, gains


@dataclass(frozen=True, slots=True)
class VariantFinding:
    """One variant.

    Attributes:
        number: Its place in the plan, from 1.
        accuracy: Over the seeds that succeeded; None when none did.
        values: The accuracies behind it, in the order of seeds.
        claim: The difference to the baseline; None for itself and where it cannot be estimated.
    """

    number: int
    name: str
    label: str
    accuracy: MeanInterval | None
    values: tuple[float, ...]
    claim: Claim | None
    profile: Profile | None

    @property
    def ok(self) -> int:
        """How many seeds succeeded."""
        return len(self.values)

    @property
    def difference(self) -> Contrast | None:
        """To the baseline, with the interval on this test set."""
        return None if self.claim is None else self.claim.here


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that is computed once and said in several places.

    Attributes:
        accuracies: The accuracies of each variant's successful cells, by variant, in the order of seeds.
        evidence: The block model of all successful cells and what goes with it; None without any.
        credit: None where fewer than two components can be left out.
        standing: None where there is nothing to tell chance from effect.
        references: Rows from elsewhere, to look at beside ours.
        untuned: The same of the variants as they are without tuning; None where nothing was tuned.
        gains: What tuning was worth to each variant.
    """

    inputs: Inputs
    accuracies: dict[str, list[float]]
    evidence: Evidence | None
    costs: Costs
    variants: tuple[VariantFinding, ...]
    effects: tuple[Effect, ...]
    interactions: tuple[Interaction, ...]
    credit: Credit | None
    standing: Standing | None
    references: tuple[Reference, ...] = ()
    untuned: "Findings | None" = None
    gains: tuple[Gain, ...] = ()

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
    def fit(self) -> BlockFit | None:
        return None if self.evidence is None else self.evidence.fit


def find(inputs: Inputs, references: tuple[Reference, ...] = ()) -> Findings:
    """Means, differences, effects, credit and standing of a results folder."""
    manifest = inputs.manifest
    evidence = gather(_successful(inputs), delta=manifest.delta, alpha=manifest.alpha / len(manifest.looks))
    accuracies, costs = _accuracies(inputs), read_costs(inputs)
    # levels of a search do not meet each other evenly, so nothing can be said of a factor by itself
    has_design = manifest.search is None
    effects = find_effects(manifest, evidence, costs) if has_design else ()
    return Findings(
        inputs=inputs,
        accuracies=accuracies,
        evidence=evidence,
        costs=costs,
        variants=_variants(inputs, evidence, accuracies),
        effects=effects,
        interactions=find_interactions(manifest, evidence, effects),
        credit=find_credit(manifest, evidence, costs) if has_design else None,
        standing=find_standing(evidence, costs),
        references=references,
        untuned=None if manifest.tuning is None else find(_without_tuning(inputs)),
        gains=() if manifest.tuning is None else _gains(inputs, manifest.tuning),
    )


def _without_tuning(inputs: Inputs) -> Inputs:
    return replace(
        inputs, manifest=replace(inputs.manifest, tuning=None), cells=inputs.untuned, untuned={}, strays=0
    )


def _gains(inputs: Inputs, tuning: Tuning) -> tuple[Gain, ...]:
    tuned, untuned = (
        by_seed({cell: r.measures["accuracy"].value for cell, r in cells.items() if r and r.status == "ok"})
        for cells in (inputs.cells, inputs.untuned)
    )
    return gains(tuning, tuned, untuned, least_variance=least_variance_of(_successful(inputs)))


def _successful(inputs: Inputs) -> list[Record]:
    return [record for record in inputs.cells.values() if record is not None and record.status == "ok"]


def _accuracies(inputs: Inputs) -> dict[str, list[float]]:
    accuracies: dict[str, list[float]] = {variant.name: [] for variant in inputs.manifest.variants}
    for record in _successful(inputs):
        accuracies[record.variant].append(record.measures["accuracy"].value)
    return accuracies


def _variants(
    inputs: Inputs, evidence: Evidence | None, accuracies: dict[str, list[float]]
) -> tuple[VariantFinding, ...]:
    manifest = inputs.manifest
    against = [
        None if variant.name == manifest.baseline else weights_difference(variant.name, manifest.baseline)
        for variant in manifest.variants
    ]
    # what a search chose by these very runs is not tested by them
    is_declared = "variants" in manifest.families and manifest.search is None
    answers = claims(evidence, against, is_declared=is_declared)
    least_variance = least_variance_of(_successful(inputs))
    return tuple(
        _variant(inputs, number, variant, accuracies[variant.name], claim, least_variance)
        for number, (variant, claim) in enumerate(zip(manifest.variants, answers, strict=True), start=1)
    )


def _variant(
    inputs: Inputs,
    number: int,
    variant: Planned,
    accuracies: Sequence[float],
    claim: Claim | None,
    least_variance: float,
) -> VariantFinding:
    accuracy = mean_interval(accuracies, least_variance=least_variance) if accuracies else None
    return VariantFinding(
        number=number,
        name=variant.name,
        label=short_name(variant.name, list(inputs.manifest.factors)),
        accuracy=None if accuracy is None else _bounded(accuracy),
        values=tuple(accuracies),
        claim=claim,
        profile=inputs.profiles.get(variant.name),
    )


def _bounded(accuracy: MeanInterval) -> MeanInterval:
    # No accuracy lies outside, so the cut takes nothing from the interval's coverage; NaN stays NaN.
    return replace(accuracy, low=max(accuracy.low, 0.0), high=min(accuracy.high, 1.0))

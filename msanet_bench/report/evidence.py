"""What the records can say of a contrast of accuracies: two intervals, a verdict, and what is missing."""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from msanet_bench.analysis.contrasts import (
    BlockFit,
    Contrast,
    NotEstimableError,
    contrast,
    fit_blocks,
    mean_interval,
    t_interval,
)
from msanet_bench.analysis.correctness import Correctness, differences
from msanet_bench.analysis.crossed import Crossed, cross, on_new_data
from msanet_bench.analysis.noise import rounding_variance, unequal_spread_p
from msanet_bench.analysis.power import Design, seeds_needed, smallest_detectable
from msanet_bench.analysis.verdicts import Verdict, Word, judge
from msanet_bench.analysis.weights import Weights
from msanet_bench.records import Record

Scope: TypeAlias = Literal["new data", "this test set"]

_UNEQUAL = 0.05


@dataclass(frozen=True, slots=True)
class Claim:
    """One contrast of accuracies and what may be said of it.

    Attributes:
        here: With the interval that training again with other seeds would give on this test set.
        new: With the interval for new test images too; None without bits or with one seed.
        crossed: The spread over seeds and images behind `new`.
        verdict: On this test set; None where the family was not declared or nothing has an interval.
        verdict_new: On new data.
        detectable: The smallest effect that this many seeds find four times in five, on this test set.
        more_seeds: How many further seeds would resolve it on this test set; None where 1000 would not.
        is_paired: The interval is of this contrast's own seeds, since the variants deviate unequally.
    """

    weights: Weights
    here: Contrast
    new: Contrast | None
    crossed: Crossed | None
    verdict: Verdict | None
    verdict_new: Verdict | None
    detectable: float
    more_seeds: int | None
    is_paired: bool

    @property
    def scope(self) -> Scope | None:
        """The widest claim that is resolved; None where none is."""
        if self.verdict_new is not None and self.verdict_new.is_resolved:
            return "new data"
        return "this test set" if self.verdict is not None and self.verdict.is_resolved else None

    @property
    def word(self) -> Word | None:
        """What is said in that scope."""
        said = self.verdict_new if self.scope == "new data" else self.verdict
        return None if said is None else said.word


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All successful cells of a results folder, fitted once.

    Attributes:
        fit: The block model of the accuracies, the seed being the block.
        by_seed: Each variant's accuracy by seed.
        unequal_p: Brown and Forsythe's p that all variants deviate alike; NaN where that cannot be asked.
        least_variance: Of one accuracy, since test images are counted whole.
        alpha: Of each family, divided by the number of looks.
    """

    fit: BlockFit
    by_seed: Mapping[str, Mapping[int, float]]
    correctness: Correctness
    unequal_p: float
    least_variance: float
    delta: float
    alpha: float

    @property
    def is_unequal(self) -> bool:
        return self.unequal_p < _UNEQUAL

    @property
    def has_error(self) -> bool:
        """Whether there is a degree of freedom to tell chance from effect."""
        return self.fit.df > 0


def least_variance_of(records: Sequence[Record]) -> float:
    """Of one accuracy of these records, since test images are counted whole."""
    return rounding_variance(min((r.test_images for r in records if r.test_images), default=0))


def gather(records: Sequence[Record], *, delta: float, alpha: float) -> Evidence | None:
    """The evidence of successful records; None where there are none."""
    if not records:
        return None
    # A twin (replicate above 0) stands in its seed's block, though its streams differ from the others'.
    names = [record.variant for record in records]
    values = [record.measures["accuracy"].value for record in records]
    least_variance = least_variance_of(records)
    fit = fit_blocks(names, [record.seed for record in records], values)
    if fit.df > 0:
        fit = replace(fit, mean_square=max(fit.mean_square, least_variance))
    by_seed: dict[str, dict[int, float]] = {}
    for record, value in zip(records, values, strict=True):
        by_seed.setdefault(record.variant, {})[record.seed] = value
    unequal_p = unequal_spread_p(names, fit.residuals.tolist())
    return Evidence(fit, by_seed, _correctness(records), unequal_p, least_variance, delta, alpha)


def claims(
    evidence: Evidence | None, family: Iterable[Weights | None], *, is_declared: bool = True
) -> tuple[Claim | None, ...]:
    """What may be said of each contrast of one family; None where it cannot be estimated."""
    asked = list(family)
    if evidence is None:
        return (None,) * len(asked)
    found = {index: here for index, weights in enumerate(asked) if (here := _here(evidence, weights))}
    weights = {index: w for index in found if (w := asked[index]) is not None}
    spread = _crossed(evidence, list(weights.values()))
    crossed = dict(zip(found, spread, strict=True))
    new = {index: on_new_data(found[index], c) if (c := crossed[index]) else None for index in found}
    verdicts = _verdicts(evidence, found, is_declared=is_declared)
    complete = {index: interval for index, interval in new.items() if interval is not None}
    verdicts_new = _verdicts(evidence, complete, is_declared=is_declared and len(complete) == len(found))
    return tuple(
        _claim(
            evidence,
            w,
            found[index],
            new[index],
            crossed[index],
            verdicts.get(index),
            verdicts_new.get(index),
        )
        if (w := weights.get(index)) is not None
        else None
        for index in range(len(asked))
    )


def estimate(evidence: Evidence | None, weights: Weights | None) -> Contrast | None:
    """The pooled contrast on this test set; None where it cannot be told from differences between seeds."""
    if evidence is None or weights is None:
        return None
    try:
        return contrast(evidence.fit, weights)
    except NotEstimableError:
        return None


def _here(evidence: Evidence, weights: Weights | None) -> Contrast | None:
    if weights is not None and evidence.is_unequal and _is_single(weights):
        return _of_own_seeds(evidence, weights)
    return estimate(evidence, weights)


def _is_single(weights: Weights) -> bool:
    """Whether one variant is compared with one other, so that nothing averages unequal deviations out."""
    return sum(weight != 0 for weight in weights.values()) == 2  # noqa: PLR2004


def _of_own_seeds(evidence: Evidence, weights: Weights) -> Contrast | None:
    seeds = [evidence.by_seed.get(name, {}) for name, weight in weights.items() if weight]
    common = set.intersection(*map(set, seeds))
    if not common:
        return None
    sums = [
        sum(w * evidence.by_seed[name][seed] for name, w in weights.items() if w) for seed in sorted(common)
    ]
    mean = mean_interval(sums)
    least_sd = math.sqrt(evidence.least_variance * sum(w**2 for w in weights.values()))
    return t_interval(mean.mean, max(mean.sd, least_sd) / mean.n**0.5, mean.n - 1)


def _crossed(evidence: Evidence, family: Sequence[Weights]) -> list[Crossed | None]:
    if not evidence.correctness.images:
        return [None] * len(family)
    found = differences(evidence.correctness, family)
    return [
        None if sums is None else _of_whole_images(cross(sums), weights)
        for weights, sums in zip(family, found, strict=True)
    ]


def _of_whole_images(crossed: Crossed, weights: Weights) -> Crossed:
    """At least as uncertain as if one image of each pair of variants had come out otherwise.

    Images that all networks answer alike have no variance, but a hundred of them do not show that no other
    image would tell the networks apart.
    """
    least = sum(weight**2 for weight in weights.values()) / 2 / crossed.images**2
    if crossed.images_variance < least:
        return replace(crossed, images_variance=least, images_df=crossed.images - 1)
    return crossed


def _verdicts(
    evidence: Evidence, family: Mapping[int, Contrast], *, is_declared: bool
) -> Mapping[int, Verdict]:
    if not is_declared or not evidence.has_error:
        return {}
    judged = judge(list(family.values()), evidence.delta, alpha=evidence.alpha)
    return dict(zip(family, judged, strict=True))


def _claim(
    evidence: Evidence,
    weights: Weights,
    here: Contrast,
    new: Contrast | None,
    crossed: Crossed | None,
    verdict: Verdict | None,
    verdict_new: Verdict | None,
) -> Claim:
    fit = evidence.fit
    is_paired = evidence.is_unequal and _is_single(weights)
    design = Design(here.se, here.df, len(fit.blocks), 1 if is_paired else len(fit.place) - 1)
    is_open = verdict is not None and not verdict.is_resolved
    return Claim(
        weights=weights,
        here=here,
        new=new,
        crossed=crossed,
        verdict=verdict,
        verdict_new=verdict_new,
        detectable=smallest_detectable(here.se, here.df, alpha=evidence.alpha),
        more_seeds=seeds_needed(design, evidence.delta, alpha=evidence.alpha) if is_open else None,
        is_paired=is_paired,
    )


def _correctness(records: Sequence[Record]) -> Correctness:
    tests = {(record.test_images, record.provenance.get("data_digest")) for record in records}
    packed: dict[str, dict[int, bytes]] = {}
    for record in records:
        packed.setdefault(record.variant, {})[record.seed] = base64.b64decode(record.correct)
    images = next(iter(tests))[0] if len(tests) == 1 else 0
    # one image has no spread
    images = images if images > 1 else 0
    return Correctness(packed, images)

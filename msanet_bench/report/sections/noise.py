"""How large a difference chance alone makes, where it comes from, and what could have been seen."""

import math
from collections.abc import Iterator, Sequence

from msanet_bench.analysis.crossed import Crossed, floor
from msanet_bench.analysis.noise import churn_between_seeds, pairing_gain, sampling_error, seed_variance
from msanet_bench.report.document import (
    Block,
    Budget,
    BudgetRow,
    Bullets,
    Cell,
    Code,
    Paragraph,
    Section,
    Table,
)
from msanet_bench.report.evidence import Claim, Evidence
from msanet_bench.report.findings import Findings
from msanet_bench.report.names import short_path
from msanet_bench.report.numbers import ABSENT, fixed, percent, plural, points, probability

_PARTS = ("training seeds", "test images")
# As many variants as a page can show the flips of.
_MOST_ROWS = 40


def noise(findings: Findings) -> Section | None:
    """The floor that the test set sets, the spread between seeds, the budget of errors, power and churn."""
    items = (*_test_set(findings), *_seeds(findings))
    if not items:
        return None
    blocks = (Bullets(items), *_budget(findings), *_power(findings), *_churn(findings))
    return Section("Noise and power", blocks)


def _test_set(findings: Findings) -> Iterator[str]:
    images = {record.test_images for record in findings.records}
    accuracy = findings.baseline.accuracy
    if accuracy is None or len(images) != 1 or 0 in images:
        return
    error = sampling_error(accuracy.mean, max(images))
    yield (
        f"Test set: {plural(max(images), 'image')}. At the baseline's accuracy the sampling error of one "
        f"network is {percent(error)} pp (standard error).{_floor(findings)}"
    )


def _floor(findings: Findings) -> str:
    """What these images can show at best of the differences to the baseline."""
    crossed = _crossed_of_variants(findings)
    if not crossed:
        return " On new images nothing can be said: seeds cannot be crossed with images."
    highest = floor(max(crossed, key=lambda one: one.images_variance))
    return (
        " Differences between variants are of the same images: with any number of seeds, the smallest that "
        f"is found on new images four times in five is about {percent(highest)} pp or less, as far as these "
        "seeds tell."
    )


def _crossed_of_variants(findings: Findings) -> list[Crossed]:
    claims = (variant.claim for variant in findings.variants)
    found = [claim.crossed for claim in claims if claim is not None and claim.crossed is not None]
    return [crossed for crossed in found if crossed.images_variance > 0]


def _seeds(findings: Findings) -> Iterator[str]:
    variance = seed_variance(findings.accuracies)
    if math.isnan(variance):
        yield "No variant has two seeds, so the spread between seeds is unknown."
        return
    yield f"Deviation between seeds of one variant, pooled over variants: {percent(math.sqrt(variance))} pp."
    evidence = findings.evidence
    if evidence is None or not evidence.has_error:
        return
    yield (
        f"Deviation that is left in the block model: {percent(math.sqrt(evidence.fit.mean_square))} pp "
        f"({plural(evidence.fit.df, 'degree')} of freedom)."
    )
    gain = pairing_gain(findings.accuracies, evidence.fit)
    if not math.isnan(gain):
        yield (
            f"Pairing gain: {fixed(gain, 2)}, the variance between seeds divided by the one that is left "
            "after pairing. At 1 or below, sharing seeds between variants bought nothing."
        )
    yield from _unequal(evidence)


def _unequal(evidence: Evidence) -> Iterator[str]:
    if not math.isnan(evidence.unequal_p):
        p = probability(evidence.unequal_p)
        yield (
            f"Variants deviate unequally between seeds (Brown and Forsythe, p = {p})."
            if evidence.is_unequal
            else f"Variants are not shown to deviate unequally between seeds (Brown and Forsythe, p = {p})."
        )


def _budget(findings: Findings) -> Iterator[Block]:
    """The variance of each effect on new data, by where it comes from."""
    paths = list(findings.manifest.factors)
    rows = tuple(
        BudgetRow(f"{short_path(effect.factor, paths)}: {effect.level}", shares)
        for effect in findings.effects
        if effect.claim is not None and (shares := _shares(effect.claim))
    )
    if rows:
        yield Paragraph(
            "Where the uncertainty of each effect on new data comes from: shares of its variance. More "
            "seeds lower the first part, which holds the luck of single answers too; more test images lower "
            "the second, and that luck."
        )
        yield Budget(
            name="error_budget",
            alt="Shares of the variance of each effect on new data: training seeds and test images",
            axis="share of the variance, %",
            rows=rows,
            parts=_PARTS,
        )


def _shares(claim: Claim) -> tuple[float, ...]:
    if claim.new is None or claim.new.se == 0:
        return ()
    of_seeds = 100 * claim.here.se**2 / claim.new.se**2
    return of_seeds, 100 - of_seeds


def _power(findings: Findings) -> Iterator[Block]:
    kinds: dict[str, Sequence[Claim | None]] = {
        "main effects": [effect.claim for effect in findings.effects],
        "interactions": [pair.claim for pair in findings.interactions],
        "leave one out": [share.removed for share in findings.credit.shares] if findings.credit else [],
        "variants against the baseline": [variant.claim for variant in findings.variants],
    }
    rows = [_power_row(kind, known) for kind, claims in kinds.items() if (known := _with_interval(claims))]
    if rows:
        yield Paragraph(
            "The smallest difference that a test of its own would find four times in five on this test set, "
            "if the deviation is as estimated; and how many more seeds would resolve, in a test of its own "
            "and four times in five, one that is none or just large enough to matter. For the seeds the "
            "deviation is taken at its upper 80 % limit where it is known to few degrees of freedom."
        )
        header = ("comparisons", "how many", "smallest found, pp", "unresolved", "more seeds for all")
        yield Table(header, tuple(rows))


def _with_interval(claims: Sequence[Claim | None]) -> list[Claim]:
    return [claim for claim in claims if claim is not None and claim.here.has_interval]


def _power_row(kind: str, claims: Sequence[Claim]) -> tuple[Cell, ...]:
    low, high = percent(min(c.detectable for c in claims)), percent(max(c.detectable for c in claims))
    unresolved = [claim for claim in claims if claim.verdict is not None and not claim.verdict.is_resolved]
    missing = [claim.more_seeds for claim in unresolved]
    known = [seeds for seeds in missing if seeds is not None]
    return (
        kind,
        str(len(claims)),
        low if low == high else f"{low} to {high}",
        str(len(unresolved)),
        "more than 1000" if len(known) < len(missing) else f"+{max(known)}" if known else ABSENT,
    )


def _churn(findings: Findings) -> Iterator[Block]:
    """How many predictions turn right or wrong, beside those that turn with the seed alone."""
    crossed = {
        variant.name: variant.claim.crossed
        for variant in findings.variants
        if variant.claim is not None and variant.claim.crossed is not None
    }
    seeds = _churn_between_seeds(findings)
    if not crossed or seeds is None or len(crossed) > _MOST_ROWS:
        return
    yield Paragraph(
        f"Churn: two trainings of the baseline that differ in the seed alone disagree on {percent(seeds)} % "
        "of the test images, one right and the other wrong. Under the same seed, each variant turns so many "
        "from wrong to right, and from right to wrong:"
    )
    rows = tuple(
        (Code(name), percent(c.gained), percent(c.lost), points(c.gained - c.lost))
        for name, c in crossed.items()
    )
    yield Table(("variant", "turns right, %", "turns wrong, %", "net, pp"), rows)


def _churn_between_seeds(findings: Findings) -> float | None:
    evidence, baseline = findings.evidence, findings.manifest.baseline
    if evidence is None or baseline not in evidence.correctness.packed or not evidence.correctness.images:
        return None
    churn = churn_between_seeds(evidence.correctness.of(baseline).astype(bool))
    return None if math.isnan(churn) else churn

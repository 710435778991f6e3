"""How large a difference chance alone makes."""

import math
from collections.abc import Iterator

from msanet_bench.analysis.noise import pairing_gain, sampling_error, seed_variance
from msanet_bench.report.document import Bullets, Section
from msanet_bench.report.findings import Findings
from msanet_bench.report.numbers import fixed, percent, plural


def noise(findings: Findings) -> Section | None:
    """The spread between seeds, what pairing takes off it, and the floor that the test set sets."""
    items = (*_seeds(findings), *_test_set(findings))
    return Section("Noise", (Bullets(items),)) if items else None


def _seeds(findings: Findings) -> Iterator[str]:
    variance = seed_variance(findings.accuracies)
    if math.isnan(variance):
        yield "No variant has two seeds, so the spread between seeds is unknown."
        return
    yield f"Deviation between seeds of one variant, pooled over variants: {percent(math.sqrt(variance))} pp."
    fit = findings.fit
    if fit is None or fit.df == 0:
        return
    yield (
        f"Deviation that is left in the block model: {percent(math.sqrt(fit.mean_square))} pp "
        f"({plural(fit.df, 'degree')} of freedom)."
    )
    gain = pairing_gain(findings.accuracies, fit)
    if not math.isnan(gain):
        yield (
            f"Pairing gain: {fixed(gain, 2)}, the variance between seeds divided by the one that is left "
            "after pairing. At 1 or below, sharing seeds between variants bought nothing."
        )


def _test_set(findings: Findings) -> Iterator[str]:
    images = {record.test_images for record in findings.records}
    accuracy = findings.baseline.accuracy
    if accuracy is None or len(images) != 1 or 0 in images:
        return
    error = sampling_error(accuracy.mean, max(images))
    yield (
        f"Test set: {plural(max(images), 'image')}. At the baseline's accuracy the sampling error of one "
        f"accuracy is {percent(error)} pp (standard error), however many seeds are run: the intervals of "
        "this report hold for this test set, and say less about new images."
    )

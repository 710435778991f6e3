"""The ratio of two variants' latencies, from the timed calls of one session."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

from msanet_bench.claims.found import Found, estimated, transformed
from msanet_bench.claims.pairs import counted
from msanet_bench.claims.spec import Claim
from msanet_bench.measure.samples import Sample, read_session

# a session ends early for whom the interval happens to be narrow, which 95 % would pay for with coverage
CONFIDENCE = 0.99


def latency_ratio(folder: Path, claim: Claim) -> Found:
    """How many times as long as another variant one takes: 1 where they are equal.

    Within a super-round both are timed in turns at one place in memory, so each gives one ratio of medians;
    the interval is the plain t interval of their logarithms. Without `against`, the other one is the anchor
    of the session.

    Raises:
        ResultsError: the file of samples cannot be read.
    """
    path = folder / "samples.parquet"
    if not path.exists():
        return Found((estimated("", (), parts=1),), (f"no {path.name} in {folder.name}",))
    samples = [sample for sample in read_session(path).samples if _fits(sample, claim)]
    sides = {
        f"`{claim.variant}`": _levels(s for s in samples if _is(s, claim.variant, claim.mode)),
        f"`{claim.against}`" if claim.against else "the anchor": _levels(
            s
            for s in samples
            if (_is(s, claim.against, claim.mode) if claim.against else s.contender.role == "anchor")
        ),
    }
    mine, others = sides.values()
    logarithms = [mine[number] - others[number] for number in mine if number in others]
    part = transformed(estimated("", logarithms, parts=1, confidence=CONFIDENCE), math.exp)
    lacking = tuple(
        f"no calls of {name} on {claim.device}, batch {claim.batch}, {claim.mode}"
        for name, levels in sides.items()
        if not levels
    )
    return Found((part,), lacking, counted(part.seeds, "super-round"), CONFIDENCE)


def _fits(sample: Sample, claim: Claim) -> bool:
    condition = sample.condition
    asked = (claim.device, claim.batch, "fp32_strict", "warm")
    measured = (condition.device, condition.batch, condition.precision, condition.cache)
    return sample.counts and measured == asked


def _is(sample: Sample, variant: object, mode: str) -> bool:
    contender = sample.contender
    return contender.role != "twin" and (contender.variant, contender.mode) == (variant, mode)


def _levels(samples: Iterable[Sample]) -> Mapping[int, float]:
    """The logarithm of the median of each super-round."""
    seconds: dict[int, list[float]] = defaultdict(list)
    for sample in samples:
        seconds[sample.visit.super_round].append(sample.seconds)
    return {number: math.log(median(values)) for number, values in seconds.items()}

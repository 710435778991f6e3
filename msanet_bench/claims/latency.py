"""The ratio of two variants' latencies, from the timed calls of one session."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
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
    sides = {name: _levels(filter(is_asked, samples)) for name, is_asked in _sides(claim).items()}
    mine, others = sides.values()
    logarithms = [mine[number] - others[number] for number in mine if number in others]
    basis = counted(len(logarithms), "super-round")
    part = estimated("", logarithms, parts=1, basis=basis, confidence=CONFIDENCE)
    where = f"on {claim.device}, batch {claim.batch}, {claim.mode}"
    lacking = tuple(f"no calls of {name} {where}" for name, levels in sides.items() if not levels)
    return Found((transformed(part, math.exp),), lacking, CONFIDENCE)


def _sides(claim: Claim) -> dict[str, Callable[[Sample], bool]]:
    """Which calls belong to the variant, and which to what it is compared with."""
    if claim.against is None:
        return {f"`{claim.variant}`": partial(_is, claim.variant, claim.mode), "the anchor": _is_anchor}
    both = (claim.variant, claim.against)
    return {f"`{variant}`": partial(_is, variant, claim.mode) for variant in both}


def _fits(sample: Sample, claim: Claim) -> bool:
    condition = sample.condition
    asked = (claim.device, claim.batch, "fp32_strict", "warm")
    measured = (condition.device, condition.batch, condition.precision, condition.cache)
    return sample.counts and measured == asked


def _is(variant: object, mode: str, sample: Sample) -> bool:
    contender = sample.contender
    asked = ("head", variant, mode)
    return contender.role != "twin" and (contender.side, contender.variant, contender.mode) == asked


def _is_anchor(sample: Sample) -> bool:
    return sample.contender.role == "anchor"


def _levels(samples: Iterable[Sample]) -> Mapping[int, float]:
    """The logarithm of the median of each super-round."""
    seconds: dict[int, list[float]] = defaultdict(list)
    for sample in samples:
        seconds[sample.visit.super_round].append(sample.seconds)
    return {number: math.log(median(values)) for number, values in seconds.items()}

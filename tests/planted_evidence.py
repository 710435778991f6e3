"""The evidence of planted results without a folder, and contrasts of the planted parts."""

from collections.abc import Callable, Sequence

import numpy as np

from msanet_bench.analysis.weights import Weights
from msanet_bench.records import Record
from msanet_bench.report.evidence import Claim, Evidence, gather
from planted_results import PARTS, Bits, Design, planted, record, worth_of_parts

A_ON: Weights = dict(
    zip(
        PARTS.names,
        (0.25 if levels["branches.a"] == "on" else -0.25 for levels in PARTS.variants),
        strict=True,
    )
)
B_OUT: Weights = {"baseline": 1.0, "branches.b=off": -1.0}
C_OUT: Weights = {"baseline": 1.0, "attention=none": -1.0}


def records_of(
    design: Design, outcome: Callable[..., Bits], without: Sequence[tuple[str, int]] = ()
) -> list[Record]:
    return [
        record(f"{number}.{seed}", design.name(levels), levels, seed, outcome(levels, seed), {})
        for number, levels in enumerate(design.variants)
        for seed in design.seeds
        if (design.name(levels), seed) not in without
    ]


def evidence_of(
    design: Design,
    outcome: Callable[..., Bits],
    without: Sequence[tuple[str, int]] = (),
    *,
    delta: float = 0.005,
    alpha: float = 0.05,
) -> Evidence:
    found = gather(records_of(design, outcome, without), delta=delta, alpha=alpha)
    assert found is not None
    return found


def parts(**changes: float) -> Evidence:
    return evidence_of(PARTS, planted(PARTS, worth_of_parts), **changes)


def known(found: Sequence[Claim | None]) -> list[Claim]:
    assert None not in found
    return [claim for claim in found if claim is not None]


def table(design: Design, outcome: Callable[..., Bits]) -> np.ndarray:
    """Accuracies, shape (variants, seeds)."""
    return np.array([[outcome(levels, seed).mean() for seed in design.seeds] for levels in design.variants])

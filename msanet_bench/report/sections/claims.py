"""How a claim stands in a table: its estimate, both intervals, both tests, and the verdict."""

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.report.document import Cell
from msanet_bench.report.evidence import Claim
from msanet_bench.report.findings import Findings
from msanet_bench.report.markdown import escape
from msanet_bench.report.numbers import ABSENT, plural, points, points_interval, probability
from msanet_bench.report.words import verdict

CLAIM_HEADER = (
    "effect, pp",
    "95 %, this test set",
    "95 %, new data",
    "p (Holm)",
    "p (equivalence)",
    "verdict",
)


def claim_cells(claim: Claim | None) -> tuple[Cell, ...]:
    """The columns of `CLAIM_HEADER`."""
    if claim is None:
        return (ABSENT,) * len(CLAIM_HEADER)
    tests = claim.verdict
    return (
        points(claim.here.estimate),
        interval(claim.here),
        interval(claim.new),
        probability(tests.p if tests else None),
        probability(tests.p_equivalence if tests else None),
        verdict(claim),
    )


def interval(contrast: Contrast | None) -> str:
    return ABSENT if contrast is None else points_interval(contrast.low, contrast.high)


def how_tested(findings: Findings) -> str:
    """What the columns of claims mean in these results."""
    evidence = findings.evidence
    if evidence is None or not evidence.has_error:
        return "There is no second seed, so nothing has an interval."
    delta = escape(str(findings.manifest.experiment["delta"]))
    pooled = f"The error is pooled over all cells ({plural(evidence.fit.df, 'degree')} of freedom)."
    unequal = (
        " The variants deviate unequally (Brown and Forsythe), so the interval of a single comparison is "
        "that of its own seeds."
        if evidence.is_unequal
        else ""
    )
    new = (
        " For new data, seeds are crossed with test images, over the seeds that all its variants have; "
        "there must be two."
        if evidence.correctness.images
        else " There are no bits of correctness for one common test set, so nothing is said of new data."
    )
    return (
        f"{pooled}{unequal}{new} Intervals are each for itself; p (Holm) is adjusted for all rows of the "
        f"table, and p (equivalence), of each row for itself, tests that the effect is smaller than {delta}; "
        "both on this test set."
    )

"""Four attributions side by side, and what each component costs by the same rule."""

from collections.abc import Iterator

from msanet_bench.report.credit import Credit, Share
from msanet_bench.report.document import (
    Block,
    Cell,
    Code,
    DataFile,
    Level,
    Paragraph,
    Section,
    Step,
    Table,
    Waterfall,
)
from msanet_bench.report.evidence import Claim
from msanet_bench.report.exports import credit_csv
from msanet_bench.report.findings import Findings
from msanet_bench.report.markdown import code
from msanet_bench.report.names import short_path
from msanet_bench.report.numbers import ABSENT, bar, points, with_half_width
from msanet_bench.report.sections.prices import price_cells, price_header
from msanet_bench.report.words import verdict

_RULES = ("remove from full", "verdict", "add to none", "average", "Shapley")


def credit(findings: Findings) -> Section | None:
    """Who earned the difference between none and all of the components."""
    found = findings.credit
    if found is None or not any(_worths(share) for share in found.shares):
        return None
    return Section(
        "Credit",
        (
            Paragraph(_explained(found)),
            Table(("component", *_RULES), tuple(_rows(found)), text_columns=1),
            *_incomplete(found),
            *_waterfall(findings, found),
            *_costs(findings, found),
            DataFile("credit.csv", credit_csv(found)),
        ),
    )


def _worths(share: Share) -> list[Claim]:
    return [c for c in (share.removed, share.added, share.main, share.shapley) if c is not None]


def _explained(found: Credit) -> str:
    levels = ", ".join(f"{code(path)} at {code(level)}" for path, level in found.held.items())
    held = f" All networks here have {levels}, so an average is not that over all variants." if levels else ""
    return (
        "What a component is worth in percentage points, by four rules: taken out of the full network; "
        "added to the one without any; on average over all networks that differ in it alone; and by "
        "Shapley's rule, which weighs networks by the number of their components and alone adds up to the "
        "whole. Where the first is small and the second large, components stand in for each other. Each "
        f"with half its 95 % interval on this test set.{held}"
    )


def _rows(found: Credit) -> Iterator[tuple[Cell, ...]]:
    for share in found.shares:
        yield (
            Code(share.component),
            _worth(share.removed),
            verdict(share.removed),
            _worth(share.added),
            _worth(share.main),
            _worth(share.shapley),
        )
    yield (
        "sum",
        _sum(found, "removed"),
        "",
        _sum(found, "added"),
        _sum(found, "main"),
        _sum(found, "shapley"),
    )
    yield ("full against none", "", "", "", "", _worth(found.total))


def _worth(claim: Claim | None) -> str:
    return ABSENT if claim is None else with_half_width(claim.here)


def _sum(found: Credit, rule: str) -> str:
    worths = [getattr(share, rule) for share in found.shares]
    return ABSENT if None in worths else points(sum(worth.here.estimate for worth in worths))


def _incomplete(found: Credit) -> Iterator[Paragraph]:
    if found.coalitions < found.planned_coalitions:
        yield Paragraph(
            f"{found.coalitions} of the {found.planned_coalitions} combinations of these components have "
            "results. Shapley's rule needs all of them; the average is over the pairs that are there."
        )


def _waterfall(findings: Findings, found: Credit) -> Iterator[Waterfall]:
    by_name = {variant.name: variant for variant in findings.variants}
    if found.full is None or found.empty is None or any(share.shapley is None for share in found.shares):
        return
    start = by_name[found.empty].accuracy
    if start is None or found.total is None:
        return
    components = [share.component for share in found.shares]
    yield Waterfall(
        name="credit",
        alt="Shapley credit of each component, from the network without any to the full one",
        axis="test accuracy, %",
        start=Level("none of them", 100 * start.mean),
        steps=tuple(
            Step(
                short_path(share.component, components),
                bar(share.shapley.here.estimate, share.shapley.here.low, share.shapley.here.high),
            )
            for share in found.shares
            if share.shapley is not None
        ),
        # of the block model, as the steps are: with missing cells a plain mean would be another one
        end=Level("all of them", 100 * (start.mean + found.total.here.estimate)),
    )


def _costs(findings: Findings, found: Credit) -> Iterator[Block]:
    if any(share.costs is None for share in found.shares):
        return
    yield Paragraph(
        "What each component costs, by Shapley's rule too, so that the columns add up to the difference "
        "between the two networks. Counts are exact."
    )
    rows = (
        (Code(share.component), points(worth), *price_cells(findings, worth, share.costs))
        for share in found.shares
        for worth in [share.shapley.here.estimate if share.shapley else None]
    )
    yield Table(("component", "worth, pp", *price_header(findings)), tuple(rows))

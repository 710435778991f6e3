"""The sections of the report, in the order of reading; each is None where it has nothing to say."""

from collections.abc import Callable

from msanet_bench.report.document import Section
from msanet_bench.report.findings import Findings
from msanet_bench.report.sections.cost import cost
from msanet_bench.report.sections.credit import credit
from msanet_bench.report.sections.effects import effects
from msanet_bench.report.sections.failures import failures
from msanet_bench.report.sections.interactions import interactions
from msanet_bench.report.sections.latency import latency
from msanet_bench.report.sections.left_out import left_out
from msanet_bench.report.sections.limits import limits
from msanet_bench.report.sections.noise import noise
from msanet_bench.report.sections.reproduce import reproduce
from msanet_bench.report.sections.search import search
from msanet_bench.report.sections.setup import settings, setup
from msanet_bench.report.sections.summary import summary
from msanet_bench.report.sections.tuning import tuning
from msanet_bench.report.sections.variants import variants

SECTIONS: tuple[Callable[[Findings], Section | None], ...] = (
    summary,
    setup,
    search,
    tuning,
    failures,
    left_out,
    effects,
    credit,
    interactions,
    variants,
    cost,
    latency,
    noise,
    limits,
    reproduce,
    settings,
)

"""What could make the conclusions wrong."""

from collections.abc import Iterator

from msanet_bench.report.document import Bullets, Section
from msanet_bench.report.findings import Findings
from msanet_bench.report.latency import main_timings
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import plural

# From here on a deviation is known to about a third of itself.
_MANY_SEEDS = 6


def limits(findings: Findings) -> Section:
    """The threats that apply to these results."""
    return Section("Threats to validity", (Bullets(tuple(_threats(findings))),))


def _threats(findings: Findings) -> Iterator[str]:
    manifest = findings.manifest
    data, train = manifest.experiment["data"], manifest.experiment["train"]
    yield (
        f"One data set ({code(data['dataset'])}) and one test set: nothing here says that it holds on "
        "another."
    )
    yield (
        "One training recipe for all variants, tuned for none of them: a variant may lose here because the "
        "recipe suits it less."
    )
    yield (
        f"Short training ({plural(train['epochs'], 'epoch')}): what helps early may not help after long "
        "training, and the reverse."
    )
    if 1 < len(manifest.seeds) < _MANY_SEEDS:
        yield (
            f"{plural(len(manifest.seeds), 'seed')}: the deviation of a single variant is itself uncertain; "
            "the pooled intervals assume that it is about the same in all variants."
        )
    yield "Intervals are not adjusted for the number of comparisons."
    if any(record is None or record.status != "ok" for record in findings.inputs.cells.values()):
        yield "Some cells have no result. If that is because they trained badly, the means are too good."
    cpu = str(manifest.environment.get("cpu", "one machine"))
    if main_timings(findings.inputs.timings, "cpu"):
        yield f"CPU latencies are those of {escape(cpu)}; ratios may differ on another machine."
    if not main_timings(findings.inputs.timings, "cuda"):
        yield "No latency was measured on a CUDA device; the ranking there may be another."

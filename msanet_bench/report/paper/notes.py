"""What a reader of the table must know, below it: of what its numbers are, and what is missing."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msanet_bench.report.findings import Findings, VariantFinding
from msanet_bench.report.inputs import mixed_environments
from msanet_bench.report.latency import DEVICES, main_timings, why_not_measured
from msanet_bench.report.numbers import plural
from msanet_bench.report.paper import levels
from msanet_bench.report.paper.costs import latency_column
from msanet_bench.report.paper.filled import Shown
from msanet_bench.report.timings import Timing


def notes(shown: Shown, columns: Mapping[str, str], names: Mapping[str, str]) -> tuple[str, ...]:
    """Plain text; `columns` and `names` are what columns and rows are called in the table."""
    return (
        *_marks(shown.findings, columns),
        *_accuracy(shown, columns),
        *_incomplete(shown, names),
        *_difference(shown.findings, columns, names),
        *_macs(shown, columns, names),
        *_latency(shown.findings, columns),
        *_mixed(shown.findings),
        *_elsewhere(shown),
    )


def _marks(findings: Findings, columns: Mapping[str, str]) -> Iterator[str]:
    """What a check mark stands for where that is not simply "on"."""
    for path in levels.components(findings.manifest):
        marked = levels.presence(findings.manifest, path)
        if path in columns and marked not in {None, "on"}:
            yield f"A check mark under {columns[path]} is {marked}."


def _accuracy(shown: Shown, columns: Collection[str]) -> Iterator[str]:
    asked = [name for name in ("accuracy", "mean", "sd", "interval") if name in columns]
    if not asked or not any(variant.accuracy for variant in shown.variants):
        return
    counts = sorted({shown.findings.manifest.num_seeds(variant.name) for variant in shown.variants})
    if counts == [1]:
        yield "Accuracy on the test set, of one seed: there is no sd and no interval."
        return
    interval = "; the interval is Student's t over seeds" if "interval" in asked else ""
    yield f"Accuracy on the test set: mean and sd over {' or '.join(map(str, counts))} seeds{interval}."


def _incomplete(shown: Shown, names: Mapping[str, str]) -> Iterator[str]:
    """Every variant with failed or missing cells, whatever columns are shown."""
    planned = {variant.name: shown.findings.manifest.num_seeds(variant.name) for variant in shown.variants}
    told = [
        f"{names[variant.name]} {variant.ok} of {planned[variant.name]} "
        f"({', '.join(_reasons(shown.findings, variant))})"
        for variant in shown.variants
        if variant.ok < planned[variant.name]
    ]
    if told:
        yield (
            f"Seeds that succeeded, where not all did: {'; '.join(told)}. Mean and sd are of those alone; "
            "nothing is filled in."
        )


def _reasons(findings: Findings, variant: VariantFinding) -> Iterator[str]:
    """`1 diverged`."""
    cells = (record for (name, _), record in findings.inputs.cells.items() if name == variant.name)
    statuses = Counter("missing" if record is None else record.status for record in cells)
    yield from (f"{count} {status}" for status, count in statuses.items() if status != "ok")


def _difference(findings: Findings, columns: Collection[str], names: Mapping[str, str]) -> Iterator[str]:
    if "difference" not in columns:
        return
    baseline = names[findings.manifest.baseline]
    if all(variant.difference is None for variant in findings.variants):
        yield f"Difference to {baseline}: there is nothing to compare."
        return
    same = len({_seeds_that_succeeded(findings, variant) for variant in findings.variants}) == 1
    how = "over the same seeds" if same else "the effect of a seed estimated from all rows that have it"
    yield (
        f"Difference to {baseline} on this test set, {how}; the 95 % intervals are for "
        "training again with other seeds, each for itself, and not adjusted for their number."
    )


def _seeds_that_succeeded(findings: Findings, variant: VariantFinding) -> frozenset[int]:
    return frozenset(
        seed
        for (name, seed), record in findings.inputs.cells.items()
        if name == variant.name and record is not None and record.status == "ok"
    )


def _macs(shown: Shown, columns: Collection[str], names: Mapping[str, str]) -> Iterator[str]:
    """Where multiply-accumulates are not counted, or no formula confirms the count."""
    if "macs" not in columns:
        return
    for variant in shown.variants:
        profile = variant.profile
        if profile is not None and profile.macs_status != "exact":
            what = "no count of MACs" if profile.macs is None else "MACs"
            yield f"{names[variant.name]}: {what} ({profile.macs_status})."


def _latency(findings: Findings, columns: Collection[str]) -> Iterator[str]:
    known = findings.inputs.latencies
    for family, title in DEVICES.items():
        timings = main_timings(known, family)
        if latency_column(family) in columns:
            told = _condition(next(iter(timings.values()))) if timings else why_not_measured(known, family)
            yield f"{title} latency: {told}."


def _condition(timing: Timing) -> str:
    """`batch 1, eager, fp32_strict, warm caches, 1 thread`."""
    condition = timing.condition
    parts = [f"batch {condition.batch}", timing.mode, condition.precision, f"{condition.cache} caches"]
    return ", ".join([*parts, *([] if timing.threads is None else [plural(timing.threads, "thread")])])


def _mixed(findings: Findings) -> Iterator[str]:
    for title, counts in mixed_environments(findings.inputs).items():
        told = ", ".join(f"{value}: {plural(number, 'record')}" for value, number in counts.items())
        yield f"Not all results have the same {title} ({told}): differences may come from that."


def _elsewhere(shown: Shown) -> Iterator[str]:
    sources = dict.fromkeys(reference.source for reference in shown.references)
    for source in sources:
        yield (
            f"Rows from {source}: as stated there, neither trained nor measured here; without sd, interval "
            "and n."
        )

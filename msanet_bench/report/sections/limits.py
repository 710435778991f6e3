"""What could make the conclusions wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from msanet_bench.report.document import Bullets, Section
from msanet_bench.report.findings import Findings
from msanet_bench.report.inputs import counted, mixed_environments
from msanet_bench.report.latency import main_timings
from msanet_bench.report.manifest import Manifest
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import plural
from msanet_bench.report.tuning import Tuning
from msanet_bench.violations import shown

# From here on a deviation is known to about a third of itself.
_MANY_SEEDS = 6
_SHORT_EPOCHS = 30


def limits(findings: Findings) -> Section:
    """The threats that apply to these results."""
    return Section("Threats to validity", (Bullets(tuple(_threats(findings))),))


def _threats(findings: Findings) -> Iterator[str]:
    manifest = findings.manifest
    yield from _scope(manifest)
    yield from _provenance(findings)
    if 1 < len(manifest.seeds) < _MANY_SEEDS:
        yield (
            f"{plural(len(manifest.seeds), 'seed')}: the deviation of a single variant is itself uncertain; "
            "the pooled intervals assume that it is about the same in all variants."
        )
    yield from _testing(findings)
    fine = {"ok"} if manifest.search is None else {"ok", "pruned"}
    if any(record is None or record.status not in fine for record in findings.inputs.cells.values()):
        yield "Some cells have no result. If that is because they trained badly, the means are too good."
    if manifest.search is not None and manifest.search.number("pruned"):
        yield (
            "Of trials that were stopped early, the seeds that went well stand among the variants: their "
            "means are too good."
        )
    yield from _timing(findings)


def _testing(findings: Findings) -> Iterator[str]:
    manifest, evidence = findings.manifest, findings.evidence
    yield (
        "Intervals are each for itself, and so are the tests that an effect is large or does not matter; "
        "only that there is an effect at all allows for the number of comparisons, family by family "
        f"({', '.join(family.replace('_', ' ') for family in manifest.families)})."
    )
    if len(manifest.looks) > 1:
        history = ", then ".join(plural(len(seeds), "seed") for seeds in manifest.looks)
        yield (
            f"{len(manifest.looks)} looks at the results ({history}): every look has its share of the "
            "chance of a false claim."
        )
    yield from _amendments(manifest)
    if evidence is not None and not evidence.correctness.images:
        yield "Nothing is said of new test images: correctness is not known image by image for one test set."
    if manifest.search is None:
        yield (
            "The test set is used to compare and to report: the accuracy of whichever variant is picked here "
            "is too high on average."
        )
    else:
        yield (
            "A search picks by validation images, but by the runs that are tested: what luck in training did "
            "for the one accuracy it did for the other. Whoever picks by the test accuracies instead picks "
            "what is too high on average."
        )


def _amendments(manifest: Manifest) -> Iterator[str]:
    """What was changed after results could be seen: choices that may have been made because of them."""
    if manifest.amendments:
        times = {1: "once", 2: "twice"}.get(len(manifest.amendments), f"{len(manifest.amendments)} times")
        told = "; ".join(map(_told, manifest.amendments))
        yield f"The plan was changed {times} after results could be seen: {told}."


def _told(amendment: Mapping[str, Any]) -> str:
    if "other_code" in amendment:
        return f"cells that other code had trained were {amendment['other_code']}"
    changes = [
        f"{code(path)} from {_value(old)} to {_value(new)}"
        for path, (old, new) in amendment["changed"].items()
    ]
    cells = ", ".join(f"{number} {kind}" for kind, number in amendment["cells"].items() if number)
    return f"{', '.join(changes)} ({cells} cells)"


def _value(value: Any) -> str:  # noqa: ANN401 (anything that a file can say)
    return "nothing" if value is None else code(value if isinstance(value, str) else shown(value))


def _timing(findings: Findings) -> Iterator[str]:
    latencies = findings.inputs.latencies
    if main_timings(latencies, "cpu"):
        cpu = escape(str(findings.manifest.environment.get("cpu", "one machine")))
        yield f"CPU latencies are those of {cpu}; ratios may differ on another machine."
        yield (
            "On the CPU, networks take turns call by call (interleaved), so each finds the caches as another "
            "left them; called in a row it may be faster."
        )
    wide = sum(timing.is_measured and timing.status != "ok" for timing in latencies.timings)
    if wide:
        yield f"Ratios of latencies with a wider interval than was asked for: {wide}."
    if any(session.is_unsteady for session in latencies.sessions):
        yield "Not every ranking of latencies would come out again (see Latency)."
    if any(session.told_apart for session in latencies.sessions):
        yield "Twins, which are one network, were told apart: intervals of latencies may be too narrow."
    if not main_timings(latencies, "cuda"):
        yield "No latency was measured on a CUDA device; the ranking there may be another."


def _scope(manifest: Manifest) -> Iterator[str]:
    if not any(path.startswith(("data.dataset", "data.options")) for path in manifest.varied):
        dataset = code(manifest.experiment["data"]["dataset"])
        yield f"One data set ({dataset}) and one test set: nothing here says that it holds on another."
    if manifest.search is not None:
        yield (
            "The search tried few of all configurations, and trained each with the recipe that it was asked "
            "for with: another search or a longer one may find better ones."
        )
    elif manifest.tuning is not None:
        yield from _tuned(manifest.tuning)
    elif any(path.startswith("train.") for path in manifest.varied):
        yield "No training recipe was tuned: a variant may lose here because none of those run suits it."
    else:
        yield (
            "One training recipe for all variants, tuned for none of them: a variant may lose here because "
            "the recipe suits it less."
        )
    epochs = _epochs(manifest)
    if epochs[0] < _SHORT_EPOCHS:
        span = plural(epochs[0], "epoch") if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]} epochs"
        yield (
            f"Short training ({span}): what helps early may not help after long training, and the reverse."
        )


def _tuned(tuning: Tuning) -> Iterator[str]:
    what = ", ".join(map(code, tuning.paths))
    if tuning.undecided:
        number, of = len(tuning.undecided), plural(len(tuning.variants), "variant")
        yield (
            f"Tuning has not ended for {number} of {of}: they stand as in the file, beside others that have "
            "what suits them better. Give the same command again."
        )
    yield (
        f"Of the training recipe, only {what} was tuned, by one run for each of "
        f"{plural(len(tuning.candidates), 'candidate')}: a variant may lose here because the rest of the "
        "recipe suits it less, or because luck chose for it."
    )


def _epochs(manifest: Manifest) -> list[int]:
    """How long the variants train, shortest first."""
    default = manifest.experiment["train"]["epochs"]
    if manifest.tuning is not None and "train.epochs" in manifest.tuning.paths:
        tuning = manifest.tuning
        return sorted({int(tuning.values(variant)["train.epochs"]) for variant in tuning.variants})
    return sorted({int(variant.factors.get("train.epochs", default)) for variant in manifest.variants})


def _provenance(findings: Findings) -> Iterator[str]:
    for title, values in mixed_environments(findings.inputs).items():
        yield (
            f"Not all results have the same {title}: {counted(values)}. Differences may come from that in "
            "part."
        )

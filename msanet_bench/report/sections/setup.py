"""What was run: enough for a reader to judge whether the numbers can answer the question."""

from collections.abc import Iterator, Mapping

from msanet_bench.plan import level_name
from msanet_bench.report.document import Cell, Code, Paragraph, Section, Table
from msanet_bench.report.findings import Findings
from msanet_bench.report.manifest import Manifest
from msanet_bench.report.markdown import code
from msanet_bench.spec import MSANET


def setup(findings: Findings) -> Section:
    """The plan, and how variants are compared."""
    return Section(
        "What was run",
        (
            Paragraph(_pairs(findings.manifest)),
            *_sessions(findings),
            Table(("setting", "value"), tuple(_plan(findings)), text_columns=2),
        ),
    )


def settings(findings: Findings) -> Section:
    """All of the baseline's network, data, training and measurement, and the machine."""
    rows: list[tuple[Cell, ...]] = [*_settings(findings), *_machine(findings)]
    return Section("All settings", (Table(("setting", "value"), tuple(rows), text_columns=2),))


def _pairs(manifest: Manifest) -> str:
    tuned = () if manifest.tuning is None else tuple(manifest.tuning.paths)
    varied = manifest.varied.union(tuned)
    touching = [code(path) for path in sorted(varied) if path.startswith(("data.", "train."))]
    exception = f", except what {', '.join(touching)} changes" if touching else ""
    own = f", trained with the {', '.join(map(code, tuned))} that tuning chose for it" if tuned else ""
    twins = " A variant with a replicate of its own draws all of these anew." if "replicate" in varied else ""
    shared, families = _shared(manifest)
    return (
        f"Every variant is the baseline with the change that its name says{own}. Variants of one seed share "
        f"the split, the order of images{shared}{exception}, so they are compared in pairs.{families}{twins}"
    )


def _shared(manifest: Manifest) -> tuple[str, str]:
    """What variants share beside split and order, and a sentence more where starts differ in kind."""
    default = manifest.experiment["baseline"].get("model", {}).get("block", MSANET.block)
    models = {variant.factors.get("model", default) for variant in manifest.variants}
    common = "the initial value of every parameter that they have in common"
    if models == {MSANET.block}:
        return f", the augmentation and {common}", ""
    if MSANET.block not in models:
        return ", the augmentation and the random state from which a constructor draws the start", ""
    return " and the augmentation", (
        f" Those of {code(MSANET.block)} also share {common}; a network of another family has the start that "
        "its own constructor draws from the seed."
    )


def _sessions(findings: Findings) -> Iterator[Paragraph]:
    sessions = findings.inputs.latencies.sessions
    if any(session.twins for session in sessions):
        yield Paragraph(
            "Latencies are taken after training, all networks in turns (interleaved), some of them twice "
            "under two names: such twins show whether equals come out equal."
        )


def _plan(findings: Findings) -> Iterator[tuple[Cell, ...]]:
    manifest = findings.manifest
    yield "experiment", Code(f"{manifest.name} ({manifest.experiment_digest})")
    yield "design", str(manifest.experiment["design"])
    for path, factor in manifest.factors.items():
        yield f"factor {path}", factor.text
    if manifest.tuning is not None:
        for path, text in manifest.tuning.paths.items():
            yield f"tuned {path}", text
    yield "seeds", ", ".join(map(str, manifest.seeds))
    yield "smallest difference that matters (declared beforehand)", str(manifest.experiment["delta"])
    yield "chance of a false claim in each family", f"{manifest.alpha:g}"
    yield "data set", str(manifest.experiment["data"]["dataset"])
    images = sorted({record.test_images for record in findings.records})
    if images:
        yield "test images", ", ".join(map(str, images))
    yield "families with verdicts", ", ".join(manifest.families) or "none"


def _settings(findings: Findings) -> Iterator[tuple[Cell, ...]]:
    for part in ("baseline", "data", "train", "measure"):
        for name, value in findings.manifest.experiment[part].items():
            yield f"{part}.{name}", _text(value)


def _machine(findings: Findings) -> Iterator[tuple[Cell, ...]]:
    environment = findings.manifest.environment
    for name, value in environment.items():
        yield name.replace("_", " "), _text(value)
    for number, other in enumerate(findings.manifest.other_environments, start=2):
        for name, value in other.items():
            if value != environment.get(name):
                yield f"{name.replace('_', ' ')} of machine {number}", _text(value)


def _text(value: object) -> str:
    match value:
        case {"on": False}:
            return "off"
        case {"block": block, "options": options}:
            return f"{block}({_text(options)})" if options else str(block)
        case Mapping():
            return ", ".join(f"{key}={_text(item)}" for key, item in value.items()) or "none"
        case list():
            return ", ".join(map(_text, value)) or "none"
        case _:
            return level_name(value)

"""What can be wrong with equal tuning: `tune` in an experiment."""

from collections.abc import Iterator, Mapping, Sequence

from msanet_bench.errors import Problem
from msanet_bench.factor_spec import Factor, TuneSpec
from msanet_bench.overlay import PathError, Settings, changed
from msanet_bench.plan import Choice, level_name
from msanet_bench.search_spec import SEARCHES
from msanet_bench.spec import Design
from msanet_bench.violations import shown
from msanet_bench.yaml_document import Document, Path

_AUGMENT = "data.augment"
# how a network computes, not how it learns
_NOT_TUNED = (
    "train.auto",
    "train.channels_last",
    "train.compile",
    "train.deterministic",
    "train.fused_attention",
    "train.fused_optimiser",
)


def tune_problems(
    document: Document,
    design: Design,
    tune: TuneSpec,
    factors: Mapping[str, Factor],
    variants: Sequence[Choice],
    base: Settings,
) -> Iterator[Problem]:
    """Every broken rule of the section, at its line."""
    if design in SEARCHES:
        law = f"the search `{design}` chooses how to train by itself. Name what is tuned among its factors"
        yield document.problem(("tune",), f"{law}, or take a finite design.")
        return
    if not _named(document):
        law = "must name what is tuned, such as `train.lr: [1.0e-4, 1.0e-2, log]`, but got none."
        yield document.problem(("tune",), law)
    yield from _validation_problems(document, factors, variants, base)
    for path, factor in tune.paths.items():
        place = ("tune", path)
        law = _path_law(path, factors, variants)
        if law:
            yield document.problem(place, law)
        else:
            yield from _level_problems(document, place, path, factor, base)


def _named(document: Document) -> bool:
    section = document.tree["tune"] or {}
    # what is no mapping is reported as such
    return not isinstance(section, dict) or bool(section.keys() - {"trials", "seed"})


def _validation_problems(
    document: Document, factors: Mapping[str, Factor], variants: Sequence[Choice], base: Settings
) -> Iterator[Problem]:
    path = "data.validation"
    law = "tuning selects on validation images and never on test images, but got (validation=0)"
    law = f"{law}. Set a share such as 0.2."
    if base.data.validation == 0:
        place: Path = ("data", "validation") if ("data", "validation") in document.lines else ("data",)
        yield document.problem(place, law)
    if path in factors and 0 in factors[path].levels:
        yield document.problem(("factors", path), law)
    for index, choice in enumerate(variants):
        if choice.get(path) == 0:
            yield document.problem(("variants", index, path), law)


def _path_law(path: str, factors: Mapping[str, Factor], variants: Sequence[Choice]) -> str:
    if path in _NOT_TUNED or not (path == _AUGMENT or path.startswith("train.")):
        return (
            f"only what training learns by can be tuned: `{_AUGMENT}`, and `train.<key>` without "
            f"{', '.join(_NOT_TUNED)}."
        )
    if path in factors:
        return "must not be a factor too: what is varied on purpose cannot be tuned away."
    if any(path in choice for choice in variants):
        return "must not be set by a variant too: what is varied on purpose cannot be tuned away."
    return ""


def _level_problems(
    document: Document, place: Path, path: str, factor: Factor, base: Settings
) -> Iterator[Problem]:
    if factor.when:
        law = "every variant has the same candidates, so there is no `when` here."
        yield document.problem((*place, "when"), law)
    if factor.range is None and _different(path, factor, base) < 2:  # noqa: PLR2004 (a choice)
        law = f"needs a range or at least two different levels, but got {shown(factor.levels)}."
        yield document.problem(place, law)
    for message, inside in dict.fromkeys(_refused(path, factor, base)):
        yield document.problem((*place, *inside), message)


def _different(path: str, factor: Factor, base: Settings) -> int:
    """How many levels there are, as they are stored; a wrong one is reported as such."""
    stored = set()
    for level in factor.levels:
        try:
            stored.add(changed(base, path, level).model_dump_json())
        except PathError:
            stored.add(level_name(level))
    return len(stored)


def _refused(path: str, factor: Factor, base: Settings) -> Iterator[tuple[str, Path]]:
    """Why values of a path cannot be set, and where they stand; nowhere, where it is the path itself."""
    is_listed = factor.range is None
    for index, level in enumerate(factor.probes):
        try:
            changed(base, path, level)
        except PathError as error:
            is_unknown = str(error).startswith("unknown key")
            at = index if is_listed else ("low", "high")[index]
            yield str(error), () if is_unknown else (at, *error.inside)

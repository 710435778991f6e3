"""What can be wrong with what an experiment varies: its factors, their levels, its listed variants."""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import NamedTuple

from msanet_bench.errors import Problem
from msanet_bench.factor_spec import Factor
from msanet_bench.overlay import (
    BLOCK_SLOTS,
    PathError,
    Settings,
    changed,
    in_order,
    is_msanet,
    is_option,
    is_slot,
    same_part,
)
from msanet_bench.plan import Catalog, Choice, apply, enumerate_variants, is_idle, level_name, resolved
from msanet_bench.registry import OptionProblem
from msanet_bench.spec import Design, Experiment, ModelSpec, TrainSpec
from msanet_bench.violations import shown, suggestion
from msanet_bench.yaml_document import Document, Path, dotted

_MOST_VARIANTS = 4096


class Trouble(NamedTuple):
    """Why a choice cannot be made: its path ("" for all of it), the place inside its value, the message."""

    path: str
    inside: Path
    message: str


def factor_problems(
    document: Document, design: Design, factors: Mapping[str, Factor], settings: Settings, catalog: Catalog
) -> Iterator[Problem]:
    """Every broken rule of the factors, at its line."""
    if design == "list":
        if factors:
            yield document.problem(("factors",), "the design `list` takes `variants`, not factors.")
        return
    if not document.tree.get("factors"):
        yield document.problem(("factors",), f"the design `{design}` needs at least one factor.")
    number = prod(len(factor.levels) for factor in factors.values())
    if design == "factorial" and number > _MOST_VARIANTS:
        law = f"must not make more than {_MOST_VARIANTS} combinations of levels, but got {number}."
        yield document.problem(("factors",), law)
    for path, factor in factors.items():
        law = _levels_law(design, len(factor.levels))
        if law and factor.range is None:
            yield document.problem(_levels_place(document, path), f"{law}, but got {shown(factor.levels)}.")
        found = list(_when_problems(document, path, factors))
        # what a wrong `when` means for the levels cannot be said
        yield from found or _level_problems(document, path, factor, settings, catalog)
        yield from _missing_when(document, design, path, factors)


def variant_problems(
    document: Document, design: Design, variants: Sequence[Choice], settings: Settings, catalog: Catalog
) -> Iterator[Problem]:
    """Every broken rule of the variants that the design `list` names."""
    if design != "list":
        if variants:
            law = f"only the design `list` takes variants, but got (design={design!r})."
            yield document.problem(("variants",), law)
        return
    if not variants:
        yield document.problem(("variants",), "the design `list` needs at least one variant.")
    seen = {str(resolved(settings, catalog)): "the baseline"}
    for index, choice in enumerate(variants):
        place = ("variants", index)
        found = list(_troubles(choice, settings, catalog))
        for path, inside, message in found:
            yield document.problem((*place, *([path] if path else []), *inside), message)
        if not found:
            identity = str(resolved(apply(settings, choice), catalog))
            if identity in seen:
                yield document.problem(place, f"is the same as {seen[identity]}; remove one.")
            seen.setdefault(identity, dotted(place))


def plan_problems(document: Document, experiment: Experiment, catalog: Catalog) -> Iterator[Problem]:
    """What only the variants show: levels that do not go together, and levels that none has."""
    variants = enumerate_variants(experiment, catalog)
    for variant in variants:
        broken = [*setting_violations(variant.settings), *_broken_blocks(variant.settings, catalog)]
        for path, message in broken:
            yield document.problem(("factors",), f"`{variant.name}` cannot be built: {path}: {message}")
    for path, factor in experiment.factors.items():
        used = {variant.factors.get(path) for variant in variants}
        unused = [name for name in map(level_name, factor.levels) if name not in used]
        if unused:
            law = f"no variant of the design `{experiment.design}` has the level {', '.join(unused)}"
            yield document.problem(("factors", path), f"{law}. Look at its `when` and at the baseline.")


def setting_violations(settings: Settings) -> Iterator[tuple[str, str]]:
    """Rules that join several keys: the path to mend and the message."""
    stages = len(settings.model.depth)
    for key in ("attention_stages", "same_size_stages"):
        named: tuple[int, ...] = getattr(settings.model, key)
        # the default means every stage of the article, however few there are here
        if named != getattr(ModelSpec(), key) and any(stage > stages for stage in named):
            law = f"must name stages from 1 to {stages}, as `depth` has {stages} entries"
            yield key, f"{law}, but got {list(named)}."
    if settings.train.checkpoint == "best_val" and settings.data.validation == 0:
        law = "`best_val` needs validation images, but got (data.validation=0)"
        yield "train.checkpoint", f"{law}. Set data.validation or use `last`."
    for key in settings.train.auto:
        value = getattr(settings.train, key)
        if value != getattr(TrainSpec(), key):
            yield (
                f"train.{key}",
                f"is left to the machine by `auto`, but got {shown(value)}. Keep one of the two.",
            )


def idle_law(settings: Settings, path: str) -> str:
    """Why an idle path changes nothing."""
    if is_msanet(settings.model):
        return f"`{same_part(path)}` is off here, so this changes nothing."
    name = settings.model.model.block
    return (
        f"only `model: msanet` has `{same_part(path)}`, but the model is {name!r} here. Remove one of them."
    )


def block_problems(settings: Settings, path: str, catalog: Catalog) -> Iterator[OptionProblem]:
    """What is wrong with the block or data set that a path belongs to."""
    part = same_part(path)
    if part in ("model", *BLOCK_SLOTS):
        block = getattr(settings.model, part)
        yield from catalog[part].problems(block.block, block.options)
    elif part.startswith("branches."):
        branch = settings.model.branches.get(part.removeprefix("branches."))
        if branch is not None:
            yield from catalog["branches"].problems(branch.block, branch.options)
    elif part == "data":
        yield from catalog["data"].problems(settings.data.dataset, settings.data.options)


def _levels_law(design: Design, number: int) -> str:
    if number < 2:  # noqa: PLR2004 (one level varies nothing)
        return "needs at least two levels"
    if number > 2 and design in {"leave_one_out", "add_one_in"}:  # noqa: PLR2004 (in and out)
        return f"the design `{design}` takes two levels, in and out"
    return ""


def _broken_blocks(settings: Settings, catalog: Catalog) -> Iterator[tuple[str, str]]:
    branches = (f"branches.{name}" for name, branch in settings.model.branches.items() if branch.on)
    slots = (*BLOCK_SLOTS, *branches) if is_msanet(settings.model) else ()
    for part in ("model", *slots, "data"):
        for option, message in block_problems(settings, part, catalog):
            yield f"{part}.{option}" if option else part, message


def _troubles(choice: Choice, settings: Settings, catalog: Catalog) -> Iterator[Trouble]:
    """Why a choice cannot be made, or why a part of it changes nothing."""
    known = set(setting_violations(settings))
    for path in in_order(choice):
        if is_idle(settings, path):
            yield Trouble(path, (), idle_law(settings, path))
        try:
            settings = changed(settings, path, choice[path])
        except PathError as error:
            yield Trouble(path, error.inside, str(error))
            continue
        for option, message in block_problems(settings, path, catalog):
            inside = () if option is None or path.endswith(f".{option}") else (option,)
            yield Trouble(path, inside, message)
    for key, message in setting_violations(settings):
        if (key, message) not in known:
            yield Trouble("", (), f"{key}: {message}")


def _level_problems(
    document: Document, path: str, factor: Factor, settings: Settings, catalog: Catalog
) -> Iterator[Problem]:
    if any(_troubles(factor.when, settings, catalog)):
        return  # reported where that level stands
    here = apply(settings, factor.when)
    found = [list(_troubles({path: level}, here, catalog)) for level in factor.probes]
    messages = {trouble.message for troubles in found for trouble in troubles}
    if all(found) and (len(messages) == 1 or factor.range is not None):
        # not the levels are wrong but the path
        yield document.problem(("factors", path), found[0][0].message)
        return
    place = _levels_place(document, path)
    for index, troubles in enumerate(found):
        at = index if factor.range is None else ("low", "high")[index]
        for trouble in troubles:
            yield document.problem((*place, at, *trouble.inside), trouble.message)
    if not any(found):
        yield from _equal_levels(document, path, factor, here, catalog)


def _equal_levels(
    document: Document, path: str, factor: Factor, here: Settings, catalog: Catalog
) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, level in enumerate(factor.probes):
        identity = str(resolved(changed(here, path, level), catalog))
        first = factor.probes[seen.setdefault(identity, index)]
        if seen[identity] < index:
            law = f"the levels {shown(first)} and {shown(level)} are the same. Keep one."
            yield document.problem((*_levels_place(document, path), index), law)


def _when_problems(document: Document, path: str, factors: Mapping[str, Factor]) -> Iterator[Problem]:
    others = {name: factor for name, factor in factors.items() if name != path}
    for other, level in factors[path].when.items():
        place = ("factors", path, "when", other)
        if other not in others:
            yield document.problem(place, f"must name another factor. {suggestion(other, others)}")
        elif others[other].range is not None:
            yield document.problem(place, "must name a factor with levels, but this one is a range.")
        elif level_name(level) not in map(level_name, others[other].levels):
            levels = ", ".join(map(level_name, others[other].levels))
            law = f"must be a level of `{other}` ({levels}), but got {shown(level)}."
            yield document.problem(place, law)


def _missing_when(
    document: Document, design: Design, path: str, factors: Mapping[str, Factor]
) -> Iterator[Problem]:
    if (
        design != "one_at_a_time"
        and "model" in factors
        and is_slot(path)
        and not _hangs_on(factors, path, "model")
    ):
        way_out = "`{levels: [...], when: {model: msanet}}`"
        law = f"only `model: msanet` has it, and `model` is varied too; say so: {way_out}."
        yield document.problem(("factors", path), law)
        return
    part = same_part(path)
    if design == "one_at_a_time" or not is_option(path) or part not in factors or part in factors[path].when:
        return
    level = level_name(next(iter(factors[part].levels), "on"))
    way_out = f"{{levels: [...], when: {{{part}: {level}}}}}"
    yield document.problem(("factors", path), f"`{part}` is varied too; say for which level: `{way_out}`.")


def _hangs_on(factors: Mapping[str, Factor], path: str, wanted: str) -> bool:
    """Whether a factor applies on levels of `wanted` alone, by its own `when` or that of what it names."""
    reached = {path}
    while more := {o for name in reached & factors.keys() for o in factors[name].when} - reached:
        reached |= more
    return wanted in reached


def _levels_place(document: Document, path: str) -> Path:
    mapped = ("factors", path, "levels")
    return mapped if mapped in document.lines else ("factors", path)

"""What can be wrong with what an experiment varies: its factors, their levels, its listed variants."""

from collections.abc import Iterator, Mapping, Sequence

from msanet_bench.errors import Problem
from msanet_bench.overlay import BLOCK_SLOTS, PathError, Settings, changed, is_option, same_part
from msanet_bench.plan import Catalog, Choice, apply, is_idle, level_name, resolved
from msanet_bench.registry import OptionProblem, suggestion
from msanet_bench.spec import Design, Factor
from msanet_bench.yaml_document import Document, Path


def factor_problems(
    document: Document, design: Design, factors: Mapping[str, Factor], settings: Settings, catalog: Catalog
) -> Iterator[Problem]:
    """Every broken rule of the factors, at its line."""
    if design == "list":
        if factors:
            yield document.problem(("factors",), "the design `list` takes `variants`, not factors.")
        return
    if not factors:
        yield document.problem(("factors",), f"the design `{design}` needs at least one factor.")
    for path, factor in factors.items():
        place = _levels_place(document, path)
        yield from _when_problems(document, path, factors)
        if len(factor.levels) < 2:  # noqa: PLR2004 (one level varies nothing)
            yield document.problem(place, f"needs at least two levels, but got {list(factor.levels)!r}.")
        found = list(_level_problems(document, place, path, factor, settings, catalog))
        yield from found
        if not found:
            yield from _equal_levels(document, place, path, factor, settings, catalog)
            yield from _missing_when(document, design, path, factors, settings)


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
        found = list(_choice_problems(document, ("variants", index), choice, settings, catalog))
        yield from found
        if found:
            continue
        identity = str(resolved(apply(settings, choice), catalog))
        if identity in seen:
            yield document.problem(("variants", index), f"is the same as {seen[identity]}; remove one.")
        seen.setdefault(identity, f"variants[{index}]")


def setting_violations(settings: Settings) -> Iterator[tuple[str, str]]:
    """Rules that join several keys: the path to mend and the message."""
    stages = len(settings.model.depth)
    for key in ("attention_stages", "same_size_stages"):
        named: tuple[int, ...] = getattr(settings.model, key)
        if any(stage > stages for stage in named):
            law = f"must name stages from 1 to {stages}, as `depth` has {stages} entries"
            yield key, f"{law}, but got {list(named)}."
    if settings.train.checkpoint == "best_val" and settings.data.validation == 0:
        law = "`best_val` needs validation images, but got (data.validation=0)"
        yield "train.checkpoint", f"{law}. Set data.validation or use `last`."


def block_problems(settings: Settings, path: str, catalog: Catalog) -> Iterator[OptionProblem]:
    """What is wrong with the block or data set that a path belongs to."""
    part = same_part(path)
    if part in BLOCK_SLOTS:
        block = getattr(settings.model, part)
        yield from catalog[part].problems(block.block, block.options)
    elif part.startswith("branches."):
        branch = settings.model.branches.get(part.removeprefix("branches."))
        if branch is not None:
            yield from catalog["branches"].problems(branch.block, branch.options)
    elif part == "data":
        yield from catalog["data"].problems(settings.data.dataset, settings.data.options)


def _choice_problems(
    document: Document, place: Path, choice: Choice, settings: Settings, catalog: Catalog
) -> Iterator[Problem]:
    before = settings
    for path in sorted(choice, key=lambda path: path.count(".")):
        if is_idle(settings, path):
            yield document.problem(
                (*place, path), f"`{same_part(path)}` is off here, so this changes nothing."
            )
        try:
            settings = changed(settings, path, choice[path])
        except PathError as error:
            yield document.problem((*place, path, *error.inside), str(error))
            continue
        for option, message in block_problems(settings, path, catalog):
            at = (*place, path, option) if option and not is_option(path) else (*place, path)
            yield document.problem(at, message)
    known = set(setting_violations(before))
    for _, message in set(setting_violations(settings)) - known:
        yield document.problem(place, message)


def _level_problems(
    document: Document, place: Path, path: str, factor: Factor, settings: Settings, catalog: Catalog
) -> Iterator[Problem]:
    try:
        here = apply(settings, factor.when)
    except PathError:
        return
    found = [list(_choice_problems(document, (), {path: level}, here, catalog)) for level in factor.levels]
    if found and all(found) and len({problem.message for problems in found for problem in problems}) == 1:
        yield document.problem(("factors", path), found[0][0].message)
        return
    for index, problems in enumerate(found):
        for problem in problems:
            inside = problem.path.removeprefix(path).strip(".")
            yield document.problem((*place, index, *([inside] if inside else [])), problem.message)


def _equal_levels(
    document: Document, place: Path, path: str, factor: Factor, settings: Settings, catalog: Catalog
) -> Iterator[Problem]:
    here = apply(settings, factor.when)
    seen: dict[str, int] = {}
    for index, level in enumerate(factor.levels):
        identity = str(resolved(changed(here, path, level), catalog))
        if identity in seen:
            first = factor.levels[seen[identity]]
            yield document.problem(
                (*place, index), f"the levels {first!r} and {level!r} are the same. Keep one."
            )
        seen.setdefault(identity, index)


def _when_problems(document: Document, path: str, factors: Mapping[str, Factor]) -> Iterator[Problem]:
    others = {name: factor for name, factor in factors.items() if name != path}
    for other, level in factors[path].when.items():
        place = ("factors", path, "when", other)
        if other not in others:
            yield document.problem(place, f"must name another factor. {suggestion(other, others)}")
        elif level_name(level) not in map(level_name, others[other].levels):
            levels = ", ".join(map(level_name, others[other].levels))
            yield document.problem(place, f"must be a level of `{other}` ({levels}), but got {level!r}.")


def _missing_when(
    document: Document, design: Design, path: str, factors: Mapping[str, Factor], settings: Settings
) -> Iterator[Problem]:
    part = same_part(path)
    if not is_option(path) or part in factors[path].when:
        return
    if part in factors and design in {"factorial", "add_one_in"}:
        level = level_name(factors[part].levels[0])
        way_out = f"{{levels: [...], when: {{{part}: {level}}}}}"
        yield document.problem(
            ("factors", path), f"`{part}` is varied too; say for which level: `{way_out}`."
        )
    elif is_idle(settings, path):
        yield document.problem(("factors", path), f"`{part}` is off in the baseline, so no level matters.")


def _levels_place(document: Document, path: str) -> Path:
    mapped = ("factors", path, "levels")
    return mapped if mapped in document.lines else ("factors", path)

"""From an experiment to its variants and cells. Enumerates only: nothing is built here.

A variant is the baseline plus a difference and is named by it. The baseline always comes first.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from msanet_bench.errors import BenchError
from msanet_bench.factor_spec import Factor
from msanet_bench.overlay import Settings, changed, in_order, is_msanet, is_option, is_slot, same_part
from msanet_bench.registry import Registry
from msanet_bench.spec import BlockSpec, DataSpec, Experiment, digest
from msanet_bench.violations import suggestion

Catalog: TypeAlias = Mapping[str, Registry[Any]]
Choice: TypeAlias = Mapping[str, Any]

BASELINE = "baseline"

_MISSING = object()
# a network with the default of these is described as before there was a choice
_YOUNGER_SLOTS = frozenset({"norm", "activation"})


@dataclass(frozen=True, slots=True)
class Variant:
    """The baseline plus a difference; `factors` holds the level of every factor that applies."""

    name: str
    factors: Mapping[str, Any]
    settings: Settings


@dataclass(frozen=True, slots=True)
class Cell:
    """One unit of work: a variant trained with one seed."""

    variant: Variant
    seed: int
    key: str


def baseline_settings(experiment: Experiment) -> Settings:
    return Settings(model=experiment.baseline, data=experiment.data, train=experiment.train)


def enumerate_variants(experiment: Experiment, catalog: Catalog) -> list[Variant]:
    """Every variant of the design, baseline first, each name once.

    Raises:
        PathError: a level does not fit its path (`parse` has reported this with its line before).
    """
    base, factors = baseline_settings(experiment), experiment.factors
    variants: dict[str, Variant] = {}
    for choice in ({}, *_choices(experiment)):
        variant = make_variant(base, factors, _applying(base, factors, choice, catalog), catalog)
        variants.setdefault(variant.name, variant)
    return list(variants.values())


def apply(base: Settings, choice: Choice) -> Settings:
    """The settings with every path of a choice set, blocks before their options."""
    settings = base
    for path in in_order(choice):
        settings = changed(settings, path, choice[path])
    return settings


def make_variant(base: Settings, factors: Mapping[str, Factor], choice: Choice, catalog: Catalog) -> Variant:
    """The variant that a choice of levels makes; levels that change nothing are not part of its name."""
    settings = apply(base, choice)
    here = resolved(settings, catalog)
    named = dict(choice)
    for path in choice:
        without = {other: level for other, level in named.items() if other != path}
        if resolved(apply(base, without), catalog) == here:
            named = without
    name = ",".join(f"{path}={level_name(level)}" for path, level in named.items()) or BASELINE
    return Variant(name, _levels(base, factors, choice, settings, catalog), settings)


def holds(base: Settings, when: Choice, choice: Choice, catalog: Catalog) -> bool:
    """Whether a choice has the wanted levels, by meaning: the baseline's level counts where it has none."""
    chosen = ({other: choice[other]} if other in choice else {} for other in when)
    return all(
        resolved(apply(base, here), catalog) == resolved(apply(base, {other: level}), catalog)
        for here, (other, level) in zip(chosen, when.items(), strict=True)
    )


def plan_cells(
    variants: Sequence[Variant],
    seeds: Iterable[int],
    catalog: Catalog,
    data_digest: Callable[[DataSpec], str],
) -> list[Cell]:
    """Every cell, seed by seed, so that a sweep that stops half-way has complete blocks."""
    return [
        Cell(variant, seed, cell_key(variant.settings, seed, data_digest(variant.settings.data), catalog))
        for seed in seeds
        for variant in variants
    ]


def chosen_variants(text: str, names: Sequence[str]) -> list[str]:
    """`baseline,attention=none` as names, of which some hold commas themselves.

    Raises:
        BenchError: a part of the text is no name.
    """
    chosen, rest = [], text
    while rest:
        fits = [name for name in names if rest == name or rest.startswith(f"{name},")]
        if not fits:
            raise BenchError(f"--variants: no variant {rest!r}. {suggestion(rest, names)}")
        chosen.append(max(fits, key=len))
        rest = rest[len(chosen[-1]) + 1 :]
    return chosen


def cell_key(settings: Settings, seed: int, data_digest: str, catalog: Catalog) -> str:
    """The identity of a cell: what its numbers depend on, with every default filled in.

    Which images they are is said by their digest alone, not by where or how they were found.
    """
    plain = resolved(settings, catalog)
    plain["data"] = {key: value for key, value in plain["data"].items() if key not in {"dataset", "options"}}
    return digest({"settings": plain, "seed": seed, "data_digest": data_digest})


def resolved(settings: Settings, catalog: Catalog) -> dict[str, Any]:
    """The settings as plain values with every option of every block; a branch that is off is only that.

    A network of another family is its name and options alone: MSANet's slots mean nothing to it.
    """
    plain = settings.model_dump(mode="json")
    plain["data"]["options"] = catalog["data"].resolve(settings.data.dataset, settings.data.options)
    model = settings.model
    if not is_msanet(model):
        plain["model"] = {"model": _resolved_block(model.model, catalog["model"])}
        return plain
    for slot in ("stem", "fusion", "attention", "head"):
        plain["model"][slot] = _resolved_block(getattr(model, slot), catalog[slot])
    for slot in _YOUNGER_SLOTS & plain["model"].keys():
        plain["model"][slot] = _resolved_block(getattr(model, slot), catalog[slot])
    plain["model"]["branches"] = {
        key: _resolved_block(branch, catalog["branches"]) if branch.on else "off"
        for key, branch in model.branches.items()
    }
    # Branches are joined in their declared order, so the order belongs to the identity.
    plain["model"]["branch_order"] = list(model.branches)
    plain["model"]["attention_stages"] = sorted(set(model.attention_stages))
    return plain


def level_name(value: Any) -> str:
    """A level as it stands in names: `off`, `3`, `eca(gamma=3)`, `1+3`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        options = ",".join(f"{key}={level_name(item)}" for key, item in value.items() if key != "block")
        return f"{value.get('block', '')}({options})" if options else str(value.get("block", ""))
    if isinstance(value, list | tuple):
        return "+".join(level_name(item) for item in value) or "none"
    return "none" if value is None else str(value)


def is_idle(settings: Settings, path: str) -> bool:
    """Whether a path sets an option of a branch that is off, or anything of MSANet in another network."""
    if is_slot(path) and not is_msanet(settings.model):
        return True
    branch = settings.model.branches.get(same_part(path).removeprefix("branches."))
    return is_option(path) and branch is not None and not branch.on


def _applying(base: Settings, factors: Mapping[str, Factor], choice: Choice, catalog: Catalog) -> Choice:
    """What of a choice applies; a factor may hang on one that itself does not apply, so look again."""
    kept = {
        path: level
        for path, level in choice.items()
        if path not in factors or holds(base, factors[path].when, choice, catalog)
    }
    return kept if len(kept) == len(choice) else _applying(base, factors, kept, catalog)


def _levels(
    base: Settings, factors: Mapping[str, Factor], choice: Choice, settings: Settings, catalog: Catalog
) -> dict[str, str]:
    """The level of every factor that applies, and of what is chosen without being a factor."""
    levels = {
        path: level_name(choice[path]) if path in choice else _current_level(settings, path, factor, catalog)
        for path, factor in factors.items()
        if not is_idle(settings, path) and holds(base, factor.when, choice, catalog)
    }
    levels |= {path: level_name(value) for path, value in choice.items() if path not in factors}
    return {path: level for path, level in levels.items() if level is not None}


def _current_level(settings: Settings, path: str, factor: Factor, catalog: Catalog) -> str | None:
    """What a path holds, by the factor's own name for it; None where the block has no such option."""
    here = resolved(settings, catalog)
    for level in factor.levels:
        if resolved(changed(settings, path, level), catalog) == here:
            return level_name(level)
    here["model"] = {
        **{slot: _resolved_block(getattr(settings.model, slot), catalog[slot]) for slot in _YOUNGER_SLOTS},
        **here["model"],
    }
    if path == "model":
        return settings.model.model.block
    value: Any = here if path.partition(".")[0] in here else here["model"]
    for part in path.split("."):
        value = value[part] if part in value else value.get("options", {}).get(part, _MISSING)
    if isinstance(value, dict):
        return "on" if path.startswith("branches.") else str(value["block"])
    return None if value is _MISSING else level_name(value)


def _resolved_block(block: BlockSpec, registry: Registry[Any]) -> dict[str, Any]:
    return {"block": block.block, "options": registry.resolve(block.block, block.options)}


def _choices(experiment: Experiment) -> Iterator[Choice]:
    factors = experiment.factors
    match experiment.design:
        case "list":
            yield from experiment.variants
        case "factorial":
            levels = itertools.product(*(factor.levels for factor in factors.values()))
            yield from (dict(zip(factors, combination, strict=True)) for combination in levels)
        case "one_at_a_time":
            for path, factor in factors.items():
                yield from ({path: level} for level in factor.levels)
        case "leave_one_out":
            full = {path: factor.levels[0] for path, factor in factors.items()}
            yield full
            yield from ({**full, path: factor.levels[-1]} for path, factor in factors.items())
        case "add_one_in":
            bare = {path: factor.levels[-1] for path, factor in factors.items()}
            yield {path: factor.levels[0] for path, factor in factors.items()}
            yield bare
            yield from ({**bare, path: factor.levels[0]} for path, factor in factors.items())
        case "random" | "tpe" | "nsga2" | "qmc":
            # what a search will choose is not known: every level once, where it applies
            for path, factor in factors.items():
                where = _where(factors, path)
                yield from ({**where, path: level} for level in factor.probes)


def _where(factors: Mapping[str, Factor], path: str) -> Choice:
    """The levels of other factors that make a factor apply."""
    when = factors[path].when
    return {key: level for other in when for key, level in _where(factors, other).items()} | dict(when)

"""docs/reference/blocks.md: everything that a registry holds, with its options, source and costs."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
from pydantic import TypeAdapter
from torch import nn

from msanet_bench.checks import catalog
from msanet_bench.gfm import escape
from msanet_bench.measure.formulas import has_formula
from msanet_bench.registry import Registry
from reference.words import described, page, shown, summary, table, type_words

_INTRODUCTION = (
    "All that YAML can name without plug-ins. `msanet-bench blocks` prints the same list, with plug-ins of "
    "installed packages. Parameters and multiply-accumulates (MACs) are those of the default options at "
    "the sizes that each slot names; MACs by the formula that stands beside the block, which two counters "
    "are held to. Norms and activations take none by convention."
)


class Place(NamedTuple):
    """What a slot gives a block, the shapes of its inputs, and both in words; none are built without."""

    given: tuple[Any, ...]
    inputs: tuple[Any, ...]
    words: str


_MAP = (1, 64, 14, 14)
PLACES: Mapping[str, Place] = {
    "model": Place((), (), ""),
    "stem": Place((3, 64), ((1, 3, 64, 64),), "one image (1, 3, 64, 64), 64 channels"),
    "branches": Place((64, 16), (_MAP,), "a map (1, 64, 14, 14), 16 channels out"),
    "fusion": Place(((16,) * 4, 64), ([(1, 16, 14, 14)] * 4,), "four maps (1, 16, 14, 14), 64 channels out"),
    "attention": Place((64,), (_MAP,), "a map (1, 64, 14, 14)"),
    "head": Place((64, 32, 10), (_MAP,), "a map (1, 64, 14, 14), 32 hidden channels, 10 classes"),
    "norm": Place((64,), (_MAP,), "a map (1, 64, 14, 14)"),
    "activation": Place((), (_MAP,), "a map (1, 64, 14, 14)"),
    "data": Place((), (), ""),
}


def blocks_page() -> str:
    slots = catalog()
    index = ", ".join(f"[{slot}](#{slot})" for slot in slots)
    return page(
        "Blocks, networks and data sets",
        _INTRODUCTION,
        index,
        *(part for slot, registry in slots.items() for part in _slot(slot, registry)),
    )


def _slot(slot: str, registry: Registry[Any]) -> Iterable[str]:
    place = PLACES[slot]
    yield f"## {slot}"
    header = ["name", "what it is", *(["parameters", "MACs"] if place.words else [])]
    if place.words:
        yield f"Costs on {escape(place.words)}."
    rows = [[f"`{name}`", summary(registry[name]), *_costs(place, registry[name])] for name in registry]
    families = [
        [f"`{prefix.replace('.+', 'MODULE')}NAME`", summary(find), *([""] * (len(header) - 2))]
        for prefix, find in registry.families.items()
    ]
    yield table(header, [*rows, *families], numbers=len(header) - 2)
    options = [row for name in registry for row in _options(registry, name)]
    if options:
        yield table(["option", "of", "type", "default", "meaning"], options)


def _costs(place: Place, entry: Callable[..., nn.Module]) -> list[str]:
    if not place.words:
        return []
    with torch.device("meta"):
        block = entry(*place.given)
    parameters = sum(parameter.numel() for parameter in block.parameters())
    return [f"{parameters:,}", _macs(block, place.inputs)]


def _macs(block: nn.Module, inputs: tuple[Any, ...]) -> str:
    if not has_formula(block):
        return ""
    cost = block.macs(*inputs)  # type: ignore[operator]  # it has a formula
    return f"{sum(cost.values()) if isinstance(cost, Mapping) else cost:,}"


def _options(registry: Registry[Any], name: str) -> Iterable[list[str]]:
    said = described(registry[name], "Args")
    for option, (annotation, default) in registry.options(name).items():
        words = type_words(TypeAdapter(annotation).json_schema())
        yield [f"`{option}`", f"`{name}`", words, shown(default), said.get(option, "")]

"""The modules that an experiment names by a model `my_lab.nets:make`: plug-ins, whether listed or not."""

from collections.abc import Iterator, Mapping
from typing import Any

from msanet_bench.yaml_document import Path

_OURS = "timm"


def factory_modules(tree: Mapping[str, Any]) -> dict[str, Path]:
    """The module of each such model of a file that was read, and the place that names it first."""
    found: dict[str, Path] = {}
    for place, value in _models(tree):
        name = value.get("block") if isinstance(value, Mapping) else value
        module, colon, _ = name.rpartition(":") if isinstance(name, str) else ("", "", "")
        if colon and module and module != _OURS:
            found.setdefault(module, place)
    return found


def _models(tree: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    baseline, factors, variants = (tree.get(key) for key in ("baseline", "factors", "variants"))
    if isinstance(baseline, Mapping):
        yield ("baseline", "model"), baseline.get("model")
    factor = factors.get("model") if isinstance(factors, Mapping) else None
    levels = factor.get("levels") if isinstance(factor, Mapping) else factor
    for level in levels if isinstance(levels, list) else []:
        yield ("factors", "model"), level
    for index, variant in enumerate(variants if isinstance(variants, list) else []):
        if isinstance(variant, Mapping):
            yield ("variants", index, "model"), variant.get("model")

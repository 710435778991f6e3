"""Which parts a variant has: a check mark for what is only on or off, a name for what has several levels."""

from collections.abc import Mapping
from typing import Any

from msanet_bench.plan import level_name
from msanet_bench.report.manifest import Manifest, Planned
from msanet_bench.report.paper.values import Level

NOT_APPLICABLE = "n/a"

# The levels of a part that is not there.
_OFF = ("off", "none")
_UNSTATED = "default"


def components(manifest: Manifest) -> tuple[str, ...]:
    """The paths in which variants may differ: the factors, then what a list of variants changes."""
    return tuple(dict.fromkeys([*manifest.factors, *(p for v in manifest.variants for p in v.factors)]))


def presence(manifest: Manifest, path: str) -> str | None:
    """The level that a check mark stands for; None where levels besides "off" have names of their own."""
    levels = dict.fromkeys(manifest.factors[path].levels) if path in manifest.factors else {}
    found = (_level(manifest, variant, path) for variant in manifest.variants)
    levels |= dict.fromkeys(level for level in found if level is not None)
    here = [level for level in levels if level not in _OFF]
    if "on" in here:
        return "on"
    return here[0] if len(here) == 1 and len(levels) > 1 else None


def cell(manifest: Manifest, variant: Planned, path: str) -> Level | str:
    """The level of a path in a variant."""
    level = _level(manifest, variant, path)
    if level is None:
        return NOT_APPLICABLE
    if level in _OFF:
        return Level(level, is_on=False)
    return Level(level, is_on=True if level == presence(manifest, path) else None)


def _level(manifest: Manifest, variant: Planned, path: str) -> str | None:
    """None where the path does not apply."""
    if path in variant.factors:
        return variant.factors[path]
    # A variant names every factor that applies to it, but of other paths only those that it changes.
    if path in manifest.factors or _is_idle(variant, path):
        return None
    return _unchanged(manifest.experiment, path)


def _is_idle(variant: Planned, path: str) -> bool:
    """Whether a path is an option of a part that this variant takes out."""
    owners = (level for other, level in variant.factors.items() if path.startswith(f"{other}."))
    return any(level in _OFF for level in owners)


def _unchanged(experiment: Mapping[str, Any], path: str) -> str:
    """The baseline's own level, as far as the experiment says it; options have defaults that it does not."""
    first = path.partition(".")[0]
    value: Any = experiment if first in {"train", "data"} else experiment["baseline"]
    for part in path.split("."):
        inside = value if part in value else value.get("options", {})
        if part not in inside:
            return _UNSTATED
        value = inside[part]
    if isinstance(value, Mapping) and "on" in value:
        return "on" if value["on"] else "off"
    if isinstance(value, Mapping) and "block" in value:
        return level_name({"block": value["block"], **value["options"]})
    return level_name(value)

"""What every variant's network costs, whatever the seed: counted once for all that share a network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import ImageShape, build_variant
from msanet_bench.errors import BenchError
from msanet_bench.measure.macs import Counts, count
from msanet_bench.measure.params import params, params_by_part
from msanet_bench.model.attention.dot_product import use_attention
from msanet_bench.plan import Variant
from msanet_bench.records import SCHEMA, replace_text
from msanet_bench.units import Measure
from msanet_bench.violations import suggestion


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of one network on images of one shape."""

    shape: ImageShape
    params: int
    params_by_part: Mapping[str, int]
    counts: Counts

    def measures(self) -> dict[str, Measure]:
        """The costs that stand in every record; MACs only where every operation is accounted for."""
        measures = {"params": Measure(self.params, "count", "lower")}
        if self.counts.macs.is_exact:
            measures["macs"] = Measure(self.counts.macs.total, "count", "lower")
        return measures

    def to_json(self) -> dict[str, Any]:
        return {
            "input": list(self.shape.image),
            "params": self.params,
            "params_by_part": dict(self.params_by_part),
            **_counts_json(self.counts),
        }


Profile: TypeAlias = Mapping[str, Costs]


def profile_variants(plan: CheckedPlan) -> Profile:
    """The costs of every variant of a plan; those that differ in training alone share theirs."""
    known: dict[tuple[str, ImageShape], Costs] = {}
    profile = {}
    for variant in plan.variants:
        shape = plan.shapes[variant.name]
        network = variant.settings.model.model_dump_json(), shape
        if network not in known:
            known[network] = _costs(variant, shape)
        profile[variant.name] = known[network]
    return profile


def only_variant(plan: CheckedPlan, name: str) -> CheckedPlan:
    """The plan with one of its variants.

    Raises:
        BenchError: the plan has no such variant, or trains it under another name.
    """
    for variant in plan.variants:
        if name in plan.merged[variant.name]:
            raise BenchError(f"variant `{name}` is the same network as `{variant.name}`: ask for that.")
        if name == variant.name:
            return replace(plan, variants=(variant,))
    names = [variant.name for variant in plan.variants]
    raise BenchError(f"no variant `{name}`. {suggestion(name, names)}")


def profile_json(profile: Profile) -> dict[str, Any]:
    """What `profile.json` holds."""
    return {"schema": SCHEMA, "variants": {name: costs.to_json() for name, costs in profile.items()}}


def profile_text(profile: Profile) -> str:
    return json.dumps(profile_json(profile), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_profile(results: Path, profile: Profile) -> None:
    replace_text(results / "profile.json", profile_text(profile))


def _costs(variant: Variant, shape: ImageShape) -> Costs:
    model = build_variant(variant, shape)
    # a fused kernel may pad what it multiplies: costs are those of the definition
    use_attention(model, "explicit")
    return Costs(shape, params(model), params_by_part(model), count(model, shape.image))


def _counts_json(counts: Counts) -> dict[str, Any]:
    macs = counts.macs
    return {
        "macs": macs.total if macs.is_exact else None,
        # a multiply and an add are two operations
        "flops": 2 * macs.total if macs.is_exact else None,
        "macs_status": macs.status,
        "macs_sources": list(macs.sources),
        "macs_by_part": dict(macs.by_part) if macs.is_exact else {},
        "fvcore_flops_stock": macs.flops_fvcore_stock,
        "activations": counts.activations,
        "activations_fvcore_stock": counts.activations_fvcore_stock,
    }

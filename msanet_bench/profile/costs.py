"""What one network costs, whatever the seed, and how `profile.json` says it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from torch import nn

from msanet_bench.checks.shapes import ImageShape, start_variant
from msanet_bench.measure.macs import Counts, count
from msanet_bench.measure.memory.estimate import MemoryEstimate, estimate_memory
from msanet_bench.measure.params import Holdings, Inventory, outermost_part, part_of, take_inventory
from msanet_bench.measure.receptive_field import (
    EffectiveField,
    TheoreticalField,
    effective_field,
    theoretical_field,
)
from msanet_bench.model.attention.dot_product import use_attention
from msanet_bench.overlay import is_msanet
from msanet_bench.plan import Variant
from msanet_bench.units import Measure

# whose start the effective field belongs to
SEED = 0

# MSANet, torchvision, timm
_TAKES_THE_LAST_MAP = ("head", "avgpool", "global_pool")


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of one network on images of one shape.

    Attributes:
        train_batch: How many images a step of training takes, in `memory`; inference takes one.
        effective: At the start of training, of seed 0.
    """

    shape: ImageShape
    train_batch: int
    inventory: Inventory
    counts: Counts
    memory: MemoryEstimate
    theoretical: TheoreticalField
    effective: EffectiveField

    def measures(self) -> dict[str, Measure]:
        """The costs that stand in every record; MACs only where every operation is accounted for."""
        measures = {"params": Measure(self.inventory.params, "count", "lower")}
        if self.counts.macs.is_exact:
            measures["macs"] = Measure(self.counts.macs.total, "count", "lower")
        return measures

    def to_json(self) -> dict[str, Any]:
        return {
            "input": list(self.shape.image),
            "params": self.inventory.params,
            **_holdings_json(self.inventory.total),
            "params_by_part": self.inventory.params_by_part,
            "inventory_by_part": {p: _holdings_json(held) for p, held in self.inventory.by_part.items()},
            **_counts_json(self.counts),
            **_memory_json(self.memory, self.train_batch),
            "receptive_field": _field_json(self.theoretical, self.effective),
        }


def costs_of(variant: Variant, shape: ImageShape, *, no_training: str = "") -> Costs:
    """Count a variant's network; nothing runs in training mode if `no_training` says why."""
    model = start_variant(variant, shape, SEED)
    # a fused kernel may pad what it multiplies: costs are those of the definition
    use_attention(model, "explicit")
    batch = variant.settings.train.batch_size
    part = part_of if is_msanet(variant.settings.model) else outermost_part
    return Costs(
        shape=shape,
        train_batch=batch,
        inventory=take_inventory(model, part),
        counts=count(model, shape.image, part=part),
        memory=estimate_memory(model, shape.image, train_batch=batch, no_training=no_training),
        **_fields(model, shape, part),
    )


class _Fields(TypedDict):
    """What a unit of the last map sees."""

    theoretical: TheoreticalField
    effective: EffectiveField


def _fields(model: nn.Module, shape: ImageShape, part: Callable[[str], str]) -> _Fields:
    """The fields of the last map, where the network says which module takes it."""
    behind = next((name for name, _ in model.named_children() if name in _TAKES_THE_LAST_MAP), None)
    if behind is None:
        reason = f"no part of the network is called {' or '.join(_TAKES_THE_LAST_MAP)}"
        theoretical = TheoreticalField(None, None, None, f"not known ({reason})")
        return {"theoretical": theoretical, "effective": EffectiveField(None, f"not measured ({reason})")}
    return {
        "theoretical": theoretical_field(model, shape.image, behind=behind, part=part),
        "effective": effective_field(model, shape.image, behind=behind),
    }


def by_batch(inference: object, training: object, train_batch: int) -> dict[str, object]:
    """What inference of one image and a step of training take, by keys that name the batch."""
    return {"inference_batch_1": inference, f"train_batch_{train_batch}": training}


def _holdings_json(held: Holdings) -> Mapping[str, int]:
    return {
        "trainable_params": held.trainable.elements,
        "frozen_params": held.frozen.elements,
        "buffers": held.buffers.elements,
        "state_bytes": held.bytes,
    }


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


def _memory_json(memory: MemoryEstimate, train_batch: int) -> dict[str, Any]:
    return {
        "train_batch": train_batch,
        "saved_bytes": memory.saved_bytes,
        "peak_est_bytes": by_batch(memory.inference_peak_bytes, memory.training_peak_bytes, train_batch),
        "peak_est_status": memory.status,
    }


def _field_json(theoretical: TheoreticalField, effective: EffectiveField) -> dict[str, Any]:
    parts = theoretical.whole_map_by
    return {
        "theoretical": None
        if theoretical.height is None
        else {"height": theoretical.height, "width": theoretical.width},
        "theoretical_status": theoretical.status,
        "whole_map_by": None if parts is None else list(parts),
        "effective_side": effective.side,
        "effective_status": effective.status,
        "effective_seed": SEED,
    }

"""Multiply-accumulates of a network from three sources, which must agree to the last unit.

fvcore reads a traced graph; torch's FlopCounterMode watches the kernels; the formulas beside the blocks know
only sizes. Two images must cost exactly twice as much as one.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from msanet_bench.measure.formulas import classes_without_formula, evaluate_formulas
from msanet_bench.measure.kernels import Kernels, count_kernels, visible_products
from msanet_bench.measure.params import dtype_of, part_of, sum_by_part
from msanet_bench.measure.trace import Trace, trace

COUNTERS = ("fvcore", "FlopCounterMode")
FORMULAS = "formulas"


@dataclass(frozen=True, slots=True)
class Macs:
    """Multiply-accumulates of one forward pass in eval mode.

    A fused multiply-add counts once (many papers count two). Convolutions, linear layers, matrix products and
    the core of attention count; biases, norms, activations, pooling and resizing do not.

    Attributes:
        by_part: Adds up to `total`.
        status: `exact`; `exact by two counters: <what has no formula>`; or `incomplete: <reason>`, and then
            the numbers are not to be reported.
        sources: Who counted the whole network: both counters, and formulas if every part has one.
        flops_fvcore_stock: What fvcore says as it comes, to compare with papers that print it: with norms and
            pooling, without fused attention, without `padding="same"`. None where it fails.
    """

    total: int
    by_part: dict[str, int]
    status: str
    sources: tuple[str, ...]
    flops_fvcore_stock: int | None

    @property
    def is_exact(self) -> bool:
        return self.status.startswith("exact")


@dataclass(frozen=True, slots=True)
class Counts:
    """What one look at a network's operations tells.

    Attributes:
        activations: Elements of the outputs of convolutions, linear layers and matrix products, the same for
            attention that is written out and attention that is fused; None where the MACs are incomplete,
            whose status has the reason.
        activations_fvcore_stock: What fvcore says as it comes: without fused attention.
    """

    macs: Macs
    activations: int | None
    activations_fvcore_stock: int


def count(
    model: nn.Module,
    input_shape: tuple[int, ...],
    *,
    batch: int = 1,
    part: Callable[[str], str] = part_of,
) -> Counts:
    """Count one forward pass on images of `input_shape` (C, H, W); the model itself is not touched.

    `part` says to which part the module of a dotted name belongs.
    """
    subject = copy.deepcopy(model).cpu().eval()
    # Counting looks at shapes alone; zeros leave the random generators as they are.
    images = torch.zeros(batch, *input_shape, dtype=dtype_of(subject))
    with torch.no_grad(), visible_products():
        traced = trace(subject, images)
        once = _Recount(count_kernels(subject, images), evaluate_formulas(subject, images))
        images = torch.cat((images, images))
        twice = _Recount(count_kernels(subject, images), evaluate_formulas(subject, images))
    own = _own_macs(traced.macs)
    working = [name for name, amount in own.items() if amount]
    missing = classes_without_formula(subject, once.formulas.keys(), working)
    macs = Macs(
        total=traced.macs[""],
        by_part=sum_by_part(own, part),
        status=_status(traced, once, twice, missing),
        sources=COUNTERS if missing else (*COUNTERS, FORMULAS),
        flops_fvcore_stock=traced.stock_flops,
    )
    return Counts(macs, traced.activations if macs.is_exact else None, traced.stock_activations)


def count_macs(model: nn.Module, input_shape: tuple[int, ...], *, batch: int = 1) -> Macs:
    """The multiply-accumulates alone."""
    return count(model, input_shape, batch=batch).macs


@dataclass(frozen=True, slots=True)
class _Recount:
    """The two sources that fvcore's count is held against, for one number of images."""

    kernels: Kernels
    formulas: Mapping[str, int]


def _own_macs(by_module: Mapping[str, int]) -> dict[str, int]:
    """What each module computes itself, from sums that contain its descendants."""
    own = dict(by_module)
    for name, amount in by_module.items():
        if name:
            own[name.rpartition(".")[0]] -= amount
    return own


def _status(traced: Trace, once: _Recount, twice: _Recount, missing: tuple[str, ...]) -> str:
    reason = next(_reasons(traced, once, twice), None)
    if reason:
        return f"incomplete: {reason}"
    return f"exact by two counters: no formula for {', '.join(missing)}" if missing else "exact"


def _reasons(traced: Trace, once: _Recount, twice: _Recount) -> Iterator[str]:
    """Why a count does not hold; what comes first explains what follows."""
    without_rule = dict.fromkeys((*traced.unexpected, *once.kernels.unexpected))
    if without_rule:
        yield f"no rule for {', '.join(without_rule)}"
    idle = [name for name in traced.uncalled if name not in once.kernels.reading]
    if idle:
        yield f"with parameters that are never read: {', '.join(idle)}"
    if traced.macs[""] != once.kernels.macs:
        yield f"fvcore counts {traced.macs['']}, FlopCounterMode {once.kernels.macs}"
    for name, amount in once.formulas.items():
        counted = traced.macs.get(name, "nothing: there is no such module")
        if amount != counted:
            yield f"the formula of {name or 'the whole'} says {amount}, fvcore {counted}"
    if twice.kernels.macs != 2 * once.kernels.macs:
        yield f"FlopCounterMode counts {once.kernels.macs}, for twice the images {twice.kernels.macs}"
    for name, amount in once.formulas.items():
        if twice.formulas[name] != 2 * amount:
            yield (
                f"the formula of {name or 'the whole'} says {amount}, for twice the images "
                f"{twice.formulas[name]}"
            )

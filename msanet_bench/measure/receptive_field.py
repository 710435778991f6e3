# N batch, C channels, H height, W width
"""How far a unit of the last map sees: by the network's windows, and by its gradients."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from msanet_bench.errors import first_line
from msanet_bench.measure.hollow import hollow_copy
from msanet_bench.measure.params import dtype_of, part_of
from msanet_bench.measure.sight import Sight, UnknownSightError, Walk
from msanet_bench.measure.sight_rules import RULES
from msanet_bench.streams import derive_seed

EXACT = "exact"
MEASURED = "measured"

# what lies within two deviations of a Gaussian: 1 - 0.9545
_LEAST_SHARE = 0.0455
_SEED = derive_seed("effective receptive field")


@dataclass(frozen=True, slots=True)
class TheoreticalField:
    """What a unit can see, from the sizes of the windows alone.

    Attributes:
        height: In pixels, through convolutions and pooling alone; more than the image has where the windows
            reach beyond it.
        width: The same across.
        whole_map_by: The parts through which the unit also sees the whole image, by a mean or a product over
            all positions.
        status: `exact`, or why what is None is not known.
    """

    height: int | None
    width: int | None
    whole_map_by: tuple[str, ...] | None
    status: str = EXACT

    @property
    def sees_all(self) -> bool | None:
        return None if self.whole_map_by is None else bool(self.whole_map_by)


@dataclass(frozen=True, slots=True)
class EffectiveField:
    """What a unit does see, by the gradients of its activation (Luo et al. 2016, arXiv:1701.04128).

    Attributes:
        side: Root of the number of pixels whose mean absolute gradient exceeds 4.55 % of the largest, as in
            the paper.
        status: `measured`, or why `side` is None.
    """

    side: float | None
    status: str = MEASURED


def theoretical_field(
    model: nn.Module,
    input_shape: tuple[int, ...],
    *,
    behind: str = "head",
    part: Callable[[str], str] = part_of,
) -> TheoreticalField:
    """The field of a unit of the map that the submodule `behind` takes, for images of (C, H, W).

    Every operation of one forward pass is followed on a copy without memory, so a block need not say its
    reach. Where a block does what `sight_rules` has no rule for, there is no number.
    """
    hollow = hollow_copy(model, "meta").eval()
    # two images: a dimension of size 1 could be mistaken for one of a map of one pixel
    images = torch.empty(2, *input_shape, device="meta")
    walk = Walk(images, RULES, _running_modules(hollow))
    try:
        with torch.no_grad(), walk:
            met = _map_behind(hollow, behind, images)
            if met.dim() != images.dim():
                return TheoreticalField(None, None, None, f"not known (`{behind}` takes no map)")
            sight = walk.sight_of(met)
    except UnknownSightError as error:
        return TheoreticalField(None, None, None, f"not known ({error})")
    return _field(sight, part)


def effective_field(
    model: nn.Module,
    input_shape: tuple[int, ...],
    *,
    behind: str = "head",
    num_images: int = 4,
) -> EffectiveField:
    """The field of the central unit, in evaluation mode, as a mean over seeded random images.

    It belongs to the weights that the model has: give them their start first (`initialise`). The model is
    not touched. All channels of the unit count alike.
    """
    strength_HW, status = effective_strength(model, input_shape, behind=behind, num_images=num_images)
    return EffectiveField(None, status) if strength_HW is None else EffectiveField(side_of(strength_HW))


def effective_strength(
    model: nn.Module,
    input_shape: tuple[int, ...],
    *,
    behind: str = "head",
    num_images: int = 4,
) -> tuple[Tensor | None, str]:
    """Mean absolute gradient of the central unit at each pixel, (H, W), and `measured`; or None and why."""
    subject = copy.deepcopy(model).cpu().eval()
    generator = torch.Generator().manual_seed(_SEED)
    images = torch.randn(num_images, *input_shape, generator=generator).to(dtype_of(subject)).requires_grad_()
    map_NCHW = _map_behind(subject, behind, images)
    if map_NCHW.dim() != images.dim():
        return None, f"not measured (`{behind}` takes no map)"
    height, width = map_NCHW.shape[2:]
    unit = map_NCHW[:, :, height // 2, width // 2].sum()
    try:
        (gradient_NCHW,) = torch.autograd.grad(unit, images)
    except Exception as error:  # noqa: BLE001 - a block is anybody's code; the reason stands in place of the number
        return None, f"not measured ({first_line(error)})"
    strength_HW = gradient_NCHW.abs().mean(dim=(0, 1))
    if not strength_HW.max() > 0:
        return None, "not measured (the unit has no gradient)"
    return strength_HW, MEASURED


def side_of(strength_HW: Tensor) -> float:
    """The side of a field in pixels, as `EffectiveField` has it."""
    above = int((strength_HW > _LEAST_SHARE * strength_HW.max()).sum())
    return float(above**0.5)


def _running_modules(hollow: nn.Module) -> list[str]:
    """The names of the modules that run at the moment, the innermost last; kept up by hooks that stay."""
    running: list[str] = []
    for name, module in hollow.named_modules():
        module.register_forward_pre_hook(partial(_enter, running, name))
        module.register_forward_hook(partial(_leave, running))
    return running


def _enter(running: list[str], name: str, *_: object) -> None:
    running.append(name)


def _leave(running: list[str], *_: object) -> None:
    running.pop()


def _map_behind(model: nn.Module, behind: str, images: Tensor) -> Tensor:
    """The tensor that a submodule is called with; what comes after it is not run."""

    def stop(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        raise _MapMetError(inputs[0])

    handle = model.get_submodule(behind).register_forward_pre_hook(stop)
    try:
        model(images)
    except _MapMetError as met:
        return met.map_NCHW
    finally:
        handle.remove()
    raise ValueError(f"`behind` must name a module that is called, but got ({behind=}).")


class _MapMetError(Exception):
    """The forward pass has arrived where the map is taken."""

    def __init__(self, map_NCHW: Tensor) -> None:
        super().__init__()
        self.map_NCHW = map_NCHW


def _field(sight: Sight | None, part: Callable[[str], str]) -> TheoreticalField:
    if sight is None:
        return TheoreticalField(None, None, None, "not known (the map does not depend on the image)")
    parts = tuple(dict.fromkeys(map(part, sight.whole_by)))
    if sight.spans is None:
        return TheoreticalField(None, None, parts, "no unit sees through windows alone")
    return TheoreticalField(sight.spans["row"].pixels, sight.spans["column"].pixels, parts)

"""How far the units of each stage see."""

from dataclasses import dataclass

from torch import Tensor, nn

from msanet_bench.measure.receptive_field import effective_strength, side_of


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The effective receptive field of the central unit behind one stage.

    Attributes:
        strength: Mean absolute gradient at each pixel, (H, W); None with the reason in `status`.
        side: In pixels, as `profile` has it; None where there is no strength.
    """

    stage: int
    strength: Tensor | None
    side: float | None
    status: str


def fields_of(model: nn.Module, image: tuple[int, int, int]) -> list[Field]:
    """The field behind every stage; none of a network that has no stages."""
    stages = getattr(model, "stages", ())
    behind = [f"stages.{number}" for number in range(1, len(stages))] + ["head"] * bool(len(stages))
    return [_field(model, image, number, name) for number, name in enumerate(behind, start=1)]


def _field(model: nn.Module, image: tuple[int, int, int], stage: int, behind: str) -> Field:
    strength_HW, status = effective_strength(model, image, behind=behind)
    return Field(stage, strength_HW, None if strength_HW is None else side_of(strength_HW), status)

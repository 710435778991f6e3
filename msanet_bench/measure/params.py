"""What a network keeps, parameters and buffers, as a whole and by part."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

_PARTS = frozenset({"stem", "downsample", "fusion", "head"})
# their children are parts
_DIVIDED = frozenset({"branches", "attention"})


class Size(NamedTuple):
    """How much some tensors hold."""

    elements: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a network, or a part of it, keeps between two calls.

    Attributes:
        trainable: Parameters that receive gradients.
        frozen: Parameters that do not.
        buffers: What is no parameter, as running statistics.
    """

    trainable: Size
    frozen: Size
    buffers: Size

    @property
    def parameters(self) -> Size:
        return Size(self.trainable.elements + self.frozen.elements, self.trainable.bytes + self.frozen.bytes)

    @property
    def bytes(self) -> int:
        return self.parameters.bytes + self.buffers.bytes


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a network keeps, and which part keeps it; the parts add up to the total."""

    total: Holdings
    by_part: dict[str, Holdings]

    @property
    def params(self) -> int:
        return self.total.parameters.elements

    @property
    def params_by_part(self) -> dict[str, int]:
        """Parameters of each part that has any."""
        amounts = {name: held.parameters.elements for name, held in self.by_part.items()}
        return {name: amount for name, amount in amounts.items() if amount}


def params(model: nn.Module) -> int:
    """Trainable and frozen parameters; one that is shared counts once, buffers do not."""
    return take_inventory(model).params


def dtype_of(model: nn.Module) -> torch.dtype:
    """The type of the images that a network takes: that of its first floating-point parameter."""
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)


def part_of(name: str) -> str:
    """The part of the network that a module belongs to, from its dotted name.

    `stages.0.blocks.1.multi_scale.branches.conv3.conv` is part of `branches.conv3`, and each child of an
    attention is a part: `attention.query`. The first word that names a part decides, so a block may call its
    own layers as it likes.
    """
    words = name.split(".")
    for position, word in enumerate(words):
        if word in _DIVIDED:
            return ".".join(words[position : position + 2])
        if word in _PARTS:
            return word
    return "other"


def outermost_part(name: str) -> str:
    """The outermost module that a module is in: the parts of a network that nobody has divided for us."""
    return name.partition(".")[0] or "other"


def take_inventory(model: nn.Module, part: Callable[[str], str] = part_of) -> Inventory:
    """Parameters and buffers of a network, as a whole and by part, in the order of the network.

    A tensor belongs to the part of the module that holds it; one that is shared counts once, where it is met
    first. Buffers that are not saved with the state are in it. `part` says to which part the module of a
    dotted name belongs.
    """
    members: dict[str, list[Tensor]] = {}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        members.setdefault(part(name.rpartition(".")[0]), []).append(tensor)
    everything = [tensor for tensors in members.values() for tensor in tensors]
    return Inventory(_holdings(everything), {name: _holdings(tensors) for name, tensors in members.items()})


def sum_by_part(amounts: Mapping[str, int], part: Callable[[str], str]) -> dict[str, int]:
    """The sums of amounts by dotted name; a part that has nothing is left out."""
    totals: Counter[str] = Counter()
    for name, amount in amounts.items():
        totals[part(name)] += amount
    return {name: total for name, total in totals.items() if total}


def _holdings(tensors: Iterable[Tensor]) -> Holdings:
    kinds: dict[str, list[Tensor]] = {"trainable": [], "frozen": [], "buffers": []}
    for tensor in tensors:
        kind = "trainable" if tensor.requires_grad else "frozen"
        kinds[kind if isinstance(tensor, nn.Parameter) else "buffers"].append(tensor)
    return Holdings(**{kind: _size(members) for kind, members in kinds.items()})


def _size(tensors: Iterable[Tensor]) -> Size:
    sizes = [(tensor.numel(), tensor.numel() * tensor.element_size()) for tensor in tensors]
    return Size(sum(elements for elements, _ in sizes), sum(amount for _, amount in sizes))

"""Parameters of a network, as a whole and by part."""

from collections import Counter
from collections.abc import Callable, Mapping

from torch import nn

_PARTS = frozenset({"stem", "downsample", "fusion", "head"})
# their children are parts
_DIVIDED = frozenset({"branches", "attention"})


def params(model: nn.Module) -> int:
    """Trainable and frozen parameters; one that is shared counts once, buffers do not."""
    return sum(parameter.numel() for parameter in model.parameters())


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


def params_by_part(model: nn.Module, part: Callable[[str], str] = part_of) -> dict[str, int]:
    """Parameters of each part that has any, in the order of the network; they add up to `params`.

    `part` says to which part the module of a dotted name belongs. A shared parameter counts where it is met
    first.
    """
    sizes: Counter[str] = Counter()
    for name, parameter in model.named_parameters():
        sizes[name.rpartition(".")[0]] += parameter.numel()
    return sum_by_part(sizes, part)


def sum_by_part(amounts: Mapping[str, int], part: Callable[[str], str]) -> dict[str, int]:
    """The sums of amounts by dotted name; a part that has nothing is left out."""
    totals: Counter[str] = Counter()
    for name, amount in amounts.items():
        totals[part(name)] += amount
    return {name: total for name, total in totals.items() if total}

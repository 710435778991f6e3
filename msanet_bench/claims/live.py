# N batch, C channels, H height, W width
"""Numbers of networks that are built here and now, at the start of seed 0; nothing is trained."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from msanet_bench.claims.networks import built
from msanet_bench.claims.spec import Claim, Network
from msanet_bench.errors import BenchError
from msanet_bench.measure.macs import count_macs
from msanet_bench.measure.params import params
from msanet_bench.measure.receptive_field import effective_strength, theoretical_field
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.build import build, start

_SEED = 0


class Subject(NamedTuple):
    """A network, the images that it takes, and the module whose input is its map."""

    model: nn.Module
    image: tuple[int, ...]
    behind: str


Live: TypeAlias = Callable[[Subject], float]


def live_number(claim: Claim, network: Network, changes: Mapping[str, Any]) -> float:
    """The number of one network that the claim's statistic is about.

    Raises:
        BenchError: it cannot be told for this network.
    """
    quantity = claim.statistic.removesuffix("_difference").removesuffix("_ratio")
    make = partial(start, seed=_SEED) if quantity in _OF_THE_START else build
    model = built(network, changes, make)
    return _QUANTITIES[quantity](Subject(model, network.image, claim.behind))


def _params(subject: Subject) -> float:
    return params(subject.model)


def _macs(subject: Subject) -> float:
    counted = count_macs(subject.model, subject.image)
    if not counted.is_exact:
        raise BenchError(f"multiply-accumulates must be counted exactly, but the count is {counted.status}.")
    return counted.total


def _receptive_field(subject: Subject) -> float:
    """The side in pixels, through windows alone."""
    field = theoretical_field(subject.model, subject.image, behind=subject.behind)
    if field.height is None:
        raise BenchError(f"the receptive field must be known, but it is {field.status}.")
    return field.height


def _reach(subject: Subject) -> float:
    """The share of the image's pixels on which the central unit of the map depends, by gradients.

    In double precision and with every `gamma` of attention at 1: it is 0 at the start, and then no gradient
    passes through the attention.
    """
    model = subject.model.double()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, SelfAttention):
                module.gamma.fill_(1.0)
    strength_HW, status = effective_strength(model, subject.image, behind=subject.behind, num_images=1)
    if strength_HW is None:
        raise BenchError(f"the reach must be measured, but it is {status}.")
    return float((strength_HW > 0).double().mean())


def _attention_at_start(subject: Subject) -> float:
    """The largest change that any attention makes to a value of its input; 0 passes everything on."""
    changes: list[float] = []

    def note(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        changes.append(float((output - inputs[0]).abs().max()))

    for name, module in subject.model.named_modules():
        if name.rpartition(".")[2] == "attention":
            module.register_forward_hook(note)
    with torch.no_grad():
        subject.model.eval()(torch.randn(1, *subject.image, generator=torch.Generator().manual_seed(_SEED)))
    return max(changes, default=0.0)


_QUANTITIES: Mapping[str, Live] = {
    "params": _params,
    "macs": _macs,
    "receptive_field": _receptive_field,
    "reach": _reach,
    "attention_at_start": _attention_at_start,
}
# what depends on the values of the parameters
_OF_THE_START = frozenset({"reach", "attention_at_start"})

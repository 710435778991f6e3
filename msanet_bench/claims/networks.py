"""The networks that claims speak of: built from their settings, or the reason why not."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from msanet_bench.claims.spec import Network
from msanet_bench.errors import BlockError, first_line
from msanet_bench.model.build import build
from msanet_bench.overlay import PathError, change_model, in_order
from msanet_bench.spec import ModelSpec
from msanet_bench.violations import suggestion

_MAP_DIMENSIONS = 4
# names are suggested down to this depth: head, stages.1
_SUGGESTED_DEPTH = 2


class Refusal(NamedTuple):
    """Why a network cannot be had: the path that is to blame, "" for all of them, and the law."""

    path: str
    message: str


def settings(network: Network, changes: Mapping[str, Any]) -> ModelSpec:
    """A network with some paths changed, where `refusal` finds nothing."""
    spec = ModelSpec()
    for path, value in _in_order(network, changes):
        spec = change_model(spec, path, value)
    return spec


def built(network: Network, changes: Mapping[str, Any], make: Callable[..., nn.Module] = build) -> nn.Module:
    """The same as a module, made by `build` or `start`."""
    channels, height, width = network.image
    sizes = {"num_classes": network.classes, "in_channels": channels, "size": (height, width)}
    return make(settings(network, changes), **sizes)


def refusal(network: Network, changes: Mapping[str, Any], behind: str = "") -> Refusal | None:
    """Why a network cannot be built and run, found without memory; `behind` is what must be given a map."""
    wrong = _wrong_path(network, changes)
    if wrong is not None:
        return wrong
    given: list[bool] = []
    try:
        with torch.device("meta"), torch.no_grad():
            model = built(network, changes).eval()
            _watch(model, behind, given)
            model(torch.empty(2, *network.image))
    except BlockError as error:
        return _blamed(error, [*network.model, *changes])
    except (ValueError, RuntimeError) as error:
        law = f"the network must take images of {list(network.image)}"
        return Refusal("", f"{law}, but it says: {first_line(error)}")
    if behind and not (given and all(given)):
        law = f"`behind` must name a module that is given a map, but got {behind!r}"
        return Refusal("", f"{law}. {suggestion(behind, _outer_modules(model))}")
    return None


def _blamed(error: BlockError, paths: Iterable[str]) -> Refusal:
    """The longest path that the error's place lies in."""
    path = max((path for path in paths if error.slot.startswith(path)), key=len, default="")
    return Refusal(path, error.message if path == error.slot else str(error))


def _in_order(network: Network, changes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(path, given[path]) for given in (network.model, changes) for path in in_order(given)]


def _wrong_path(network: Network, changes: Mapping[str, Any]) -> Refusal | None:
    spec = ModelSpec()
    for path, value in _in_order(network, changes):
        try:
            spec = change_model(spec, path, value)
        except PathError as error:
            return Refusal(path, str(error))
    return None


def _watch(model: nn.Module, behind: str, given: list[bool]) -> None:
    """Note at each call of a module whether it is given a map."""

    def note(_: nn.Module, inputs: tuple[object, ...]) -> None:
        given.append(isinstance(inputs[0], Tensor) and inputs[0].dim() == _MAP_DIMENSIONS)

    for name, module in model.named_modules():
        if behind and name == behind:
            module.register_forward_pre_hook(note)


def _outer_modules(model: nn.Module) -> list[str]:
    return [name for name, _ in model.named_modules() if name and name.count(".") < _SUGGESTED_DEPTH]

"""Attention layers of timm (Wightman 2019, github.com/huggingface/pytorch-image-models): the home of timm.

`timm:eca` is what timm's own factory, `timm.layers.get_attn`, calls `eca`. Its plain options may be set.

Its batch norms are torch's: on a map of one pixel they do not train on one image, which `check` says before
anything is trained.
"""

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any, Optional, cast

from torch import nn

from msanet_bench.model.slots import ATTENTION

_PREFIX = "timm:"
_PLAIN = (bool, int, float, str, Optional[int], Optional[float])  # noqa: UP045 - as timm writes them


@ATTENTION.register_family(_PREFIX)
def timm_layer(name: str) -> type[nn.Module]:
    """An attention layer of timm, by the name that timm's factory knows it by (extra `timm`)."""
    make = _factory()(name)
    first, *rest = inspect.signature(make).parameters.values()
    options = list(_options(rest, _hints(make)))

    def build(channels: int, **given: object) -> nn.Module:
        try:
            return make(channels, **given)
        except AssertionError as error:
            raise ValueError(f"`{name}` cannot be built: {error}.") from error

    build.__annotations__ = {option.name: option.annotation for option in options}
    build.__doc__ = f"timm's own `{name.removeprefix(_PREFIX)}`."
    build.__qualname__ = name
    at_first = first.replace(kind=inspect.Parameter.POSITIONAL_ONLY, default=inspect.Parameter.empty)
    setattr(build, "__signature__", inspect.Signature([at_first, *options]))  # noqa: B010 - functions declare none
    return cast("type[nn.Module]", build)


def _factory() -> Callable[[str], Callable[..., nn.Module]]:
    try:
        from timm.layers import get_attn  # noqa: PLC0415 - optional: the extra `timm`
    except ImportError as error:
        raise LookupError(
            f"blocks that begin with `{_PREFIX}` need timm, which is not installed. "
            'Install it: pip install "msanet-bench[timm]".'
        ) from error

    def find(name: str) -> Callable[..., nn.Module]:
        try:
            found = get_attn(name.removeprefix(_PREFIX))
        except AssertionError:
            found = None
        if found is None:
            raise LookupError(
                f"unknown attention entry `{name}`: timm's `get_attn` has no layer of this name. "
                f"Take one that it has, as `{_PREFIX}eca`."
            )
        return cast("Callable[..., nn.Module]", found)

    return find


def _hints(make: Callable[..., nn.Module]) -> dict[str, Any]:
    made = getattr(make, "func", make)  # some are a class with options set beforehand
    return typing.get_type_hints(made.__init__)


def _options(parameters: list[inspect.Parameter], hints: dict[str, Any]) -> Iterator[inspect.Parameter]:
    """Those with a plain type and a default; layers and devices are no words of YAML."""
    for parameter in parameters:
        annotation = hints.get(parameter.name, type(parameter.default))
        if annotation in _PLAIN and parameter.default is not inspect.Parameter.empty:
            yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=annotation)

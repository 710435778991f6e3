"""Anybody's network: `my_lab.nets:make` is the factory `make` of a module or file, which is a plug-in."""

import inspect
import typing
from collections.abc import Callable
from typing import Any

from torch import nn

from msanet_bench.model.slots import MODELS
from msanet_bench.plugins import loaded_plugin


@MODELS.register_family(".+:")
def factory(name: str) -> Callable[..., nn.Module]:
    """A factory of yours: its keyword-only arguments, with types and defaults, are the options.

    The experiment names the module, so it was imported with the plug-ins; nothing is imported here.
    """
    module_name, _, attribute = name.rpartition(":")
    module = loaded_plugin(module_name)
    if module is None:
        raise LookupError(f"`{module_name}` of the model `{name}` is not loaded: an experiment must name it.")
    made: Callable[..., nn.Module] | None = getattr(module, attribute, None)
    if made is None:
        raise LookupError(f"`{module_name}` has no factory `{attribute}`, which the model `{name}` asks for.")
    _require_options(made, name)
    return made


def _require_options(made: Callable[..., Any], name: str) -> None:
    function = made.__init__ if inspect.isclass(made) else made
    try:
        hints = typing.get_type_hints(function, include_extras=True)
        parameters = inspect.signature(made).parameters.values()
    except (NameError, TypeError, ValueError) as error:
        raise LookupError(f"the signature of the model `{name}` cannot be read ({error}).") from error
    for parameter in parameters:
        is_option = parameter.kind is inspect.Parameter.KEYWORD_ONLY
        if is_option and (parameter.name not in hints or parameter.default is inspect.Parameter.empty):
            raise LookupError(
                f"the option `{parameter.name}` of the model `{name}` needs a type and a default."
            )

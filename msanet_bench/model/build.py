"""The network that a specification names, MSANet or another, and its start."""

import inspect

import torch
from torch import nn

from msanet_bench.errors import BlockError, first_line
from msanet_bench.model.assemble import assemble
from msanet_bench.model.families import MODELS
from msanet_bench.model.initialise import initialise
from msanet_bench.overlay import is_msanet
from msanet_bench.spec import ModelSpec

_IMAGENET = (224, 224)


def build(
    spec: ModelSpec, *, num_classes: int, in_channels: int = 3, size: tuple[int, int] = _IMAGENET
) -> nn.Module:
    """The network that a specification describes, its start drawn from torch's global generator.

    Raises:
        BlockError: a block is unknown, refuses its options, or refuses the sizes that the network has.
    """
    if is_msanet(spec):
        return assemble(spec, num_classes=num_classes, in_channels=in_channels)
    name, options = spec.model.block, spec.model.options
    for option, message in MODELS.problems(name, options):
        raise BlockError(f"model.{option}" if option else "model", message)
    factory = MODELS[name]
    given = (in_channels, num_classes, size)[: _num_positional(factory)]
    try:
        model: object = factory(*given, **options)
    except (ValueError, TypeError, AssertionError, ArithmeticError, LookupError, RuntimeError) as error:
        # a factory is anybody's code
        raise BlockError("model", f"`{name}` cannot be built ({first_line(error)}).") from error
    if not isinstance(model, nn.Module):
        law = f"`{name}` must give a torch.nn.Module, but gave {type(model).__name__}."
        raise BlockError("model", law)
    return model


def start(
    spec: ModelSpec, seed: int, *, num_classes: int, in_channels: int = 3, size: tuple[int, int] = _IMAGENET
) -> nn.Module:
    """The network at the start that a seed gives; raises as `build` does.

    MSANet's parameters are drawn by their names (`initialise`). A network of another family keeps the start
    that its own constructor draws, since that is part of its design: all of it from one state of torch's
    generator, so variants of such a network share no more than this state.
    """
    sizes = {"num_classes": num_classes, "in_channels": in_channels}
    if is_msanet(spec):
        model = build(spec, **sizes, size=size)
        initialise(model, seed)
        return model
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build(spec, **sizes, size=size)


def _num_positional(factory: object) -> int:
    if not callable(factory):
        return 0
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in kinds for parameter in inspect.signature(factory).parameters.values())

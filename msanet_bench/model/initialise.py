"""Random starts that two variants share wherever they can."""

from math import prod

import torch
from torch import Tensor, nn

from msanet_bench.streams import derive_seed

_BIASED = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def initialise(model: nn.Module, seed: int) -> None:
    """Give every parameter a start that depends on nothing but the seed, its full name and its shape.

    So variants of one seed start identical wherever they have the same parameter, and a block that is added
    or taken away changes no other. Each parameter is drawn by its own module's `reset_parameters`, from a
    random state of its own.

    A parameter that no such method writes was drawn by its constructor, from whatever state there was. If all
    its entries are equal, as those of a gate or a scale, it keeps them; else it is drawn again, uniformly
    within 1 / sqrt(fan in), where the fan in is the product of all dimensions but the first. So a start that
    is worked out belongs in `reset_parameters`, and so does a single number that is drawn, which looks
    constant. Buffers are left as they are: what is drawn for one is out of reach here.

    Biases of convolutions and linear layers start at 0: torch draws them from a range that depends on the
    inputs of the layer, which differ between variants while the bias's shape does not. Little is lost: most
    are followed by a batch norm, which takes any constant out again.

    Call it before the model is moved: other devices draw other numbers.
    """
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for path, module in model.named_modules():
            _restart(module, path, seed)


def _restart(module: nn.Module, path: str, seed: int) -> None:
    drawn: dict[str, Tensor] = {}
    for name, parameter in module.named_parameters(recurse=False):
        if name == "bias" and isinstance(module, _BIASED):
            drawn[name] = torch.zeros_like(parameter)
            continue
        drawn[name] = _draw(module, name, derive_seed(seed, f"{path}.{name}" if path else name))
    for name, value in drawn.items():
        module.get_parameter(name).copy_(value)


def _draw(module: nn.Module, name: str, seed: int) -> Tensor:
    """A start from the seed: by the module's `reset_parameters`, or in place of what its constructor drew."""
    parameter = module.get_parameter(name)
    if parameter.is_meta or not parameter.is_floating_point():
        return parameter.clone()
    constructed = parameter.clone()
    # whatever `reset_parameters` leaves alone is still NaN afterwards
    parameter.fill_(torch.nan)
    reset = getattr(module, "reset_parameters", None)
    if reset is not None:
        # the CPU's generator alone: torch.manual_seed would also seed CUDA, which is not restored
        torch.default_generator.manual_seed(seed)
        reset()
    drawn = module.get_parameter(name).clone()
    if not drawn.isnan().any():
        return drawn
    if (constructed == constructed.flatten()[0]).all():
        return constructed
    bound = prod(constructed.shape[1:]) ** -0.5
    return constructed.uniform_(-bound, bound, generator=torch.Generator().manual_seed(seed))

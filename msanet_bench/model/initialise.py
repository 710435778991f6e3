"""Random starts that two variants share wherever they can."""

from collections.abc import Callable

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
    random state of its own; a module without that method keeps what its constructor left.

    Biases of convolutions and linear layers start at 0: torch draws them from a range that depends on the
    inputs of the layer, which differ between variants while the bias's shape does not. Little is lost: most
    are followed by a batch norm, which takes any constant out again.

    Call it before the model is moved: other devices draw other numbers.
    """
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for path, module in model.named_modules():
            reset = getattr(module, "reset_parameters", None)
            if reset is not None:
                _restart(module, path, seed, reset)


def _restart(module: nn.Module, path: str, seed: int, reset: Callable[[], None]) -> None:
    drawn: dict[str, Tensor] = {}
    for name, parameter in module.named_parameters(recurse=False):
        if name == "bias" and isinstance(module, _BIASED):
            drawn[name] = torch.zeros_like(parameter)
            continue
        # the CPU's generator alone: torch.manual_seed would also seed CUDA, which is not restored
        torch.default_generator.manual_seed(derive_seed(seed, f"{path}.{name}" if path else name))
        reset()
        drawn[name] = parameter.clone()
    for name, value in drawn.items():
        module.get_parameter(name).copy_(value)

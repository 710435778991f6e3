"""Copies of a network that have its shape and none of its numbers."""

import copy
from typing import Any

import torch
from torch import Tensor, nn


def hollow_copy(model: nn.Module, device: str) -> nn.Module:
    """A deep copy whose parameters, buffers and other tensors are new and empty; tied ones stay tied.

    On the meta device, or under a mode of fake tensors, it takes no memory.
    """
    plain = [x for module in model.modules() for x in vars(module).values() if isinstance(x, Tensor)]
    empty: dict[int, Any] = {
        id(tensor): torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device=device)
        for tensor in [*model.parameters(), *model.buffers(), *plain]
    }
    for parameter in model.parameters():
        hollow = empty[id(parameter)]
        empty[id(parameter)] = nn.Parameter(hollow, requires_grad=parameter.requires_grad)
    # what deepcopy finds in its memo it takes for copied
    return copy.deepcopy(model, empty)

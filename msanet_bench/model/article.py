"""Checkpoints of the design article's code: what it calls our parameters."""

import re
from collections.abc import Mapping

from torch import Tensor, nn

_MODULES = {
    "stem.conv": "stem.0",
    "stem.norm": "stem.1",
    "downsample.conv": "0.0",
    "downsample.norm": "0.1",
    "branches.conv3.conv": "branch1.0",
    "branches.conv3.norm": "branch1.1",
    "branches.conv5.conv": "branch2.0",
    "branches.conv5.norm": "branch2.1",
    "branches.dilated.conv": "branch3.0",
    "branches.dilated.norm": "branch3.1",
    # branch4.0 is the pooling
    "branches.context.conv": "branch4.1",
    "branches.context.norm": "branch4.2",
    "fusion.conv": "fusion.0",
    "fusion.norm": "fusion.1",
    "head.hidden": "head.2",
    "head.classifier": "head.5",
}


def load_article_state_dict(model: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Load what the article's code saved, every parameter and nothing left over.

    Raises:
        ValueError: a name is missing or too many, or a shape differs; the message names all of them.
    """
    expected = {article_name(name): tensor for name, tensor in model.state_dict().items()}
    problems = [
        *(f"{name} is missing" for name in expected if name not in state_dict),
        *(f"{name} has no place" for name in state_dict if name not in expected),
        *(
            f"{name} has the shape {tuple(state_dict[name].shape)}, not {tuple(tensor.shape)}"
            for name, tensor in expected.items()
            if name in state_dict and state_dict[name].shape != tensor.shape
        ),
    ]
    if problems:
        raise ValueError(f"the checkpoint must fit the model, but {'; '.join(problems)}.")
    model.load_state_dict({name: state_dict[article_name(name)] for name in model.state_dict()})


def article_name(name: str) -> str:
    """The article's name of one entry of our state dict.

    Its stages are numbered from 1. Inside a stage it counts on: 0 is the downsampling, then come multi-scale
    block and attention in turn. What the article does not have keeps our name.
    """
    if match := re.fullmatch(r"stages\.(\d+)\.(.+)", name):
        return f"stage{int(match[1]) + 1}.{_name_in_stage(match[2])}"
    return _rename_module(name)


def _name_in_stage(name: str) -> str:
    if match := re.fullmatch(r"blocks\.(\d+)\.multi_scale\.(.+)", name):
        return f"{2 * int(match[1]) + 1}.{_rename_module(match[2])}"
    if match := re.fullmatch(r"blocks\.(\d+)\.attention\.(.+)", name):
        return f"{2 * int(match[1]) + 2}.{match[2]}"
    return _rename_module(name)


def _rename_module(name: str) -> str:
    module, _, entry = name.rpartition(".")
    return f"{_MODULES.get(module, module)}.{entry}"

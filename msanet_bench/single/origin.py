"""Weights that a run begins with: of our checkpoints, of the article's code, or by our own names."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor, nn

from msanet_bench.errors import BenchError
from msanet_bench.model.article import article_name, load_article_state_dict
from msanet_bench.single.card import Origin
from msanet_bench.single.checkpoint import MARK, as_checkpoint, read_tensors


class Given(NamedTuple):
    """The weights of a file, by whatever names it has."""

    path: Path
    sha256: str
    is_checkpoint: bool
    weights: Mapping[str, Tensor]


def read_given(path: Path) -> Given:
    """The weights of a checkpoint, or of a state dict, alone or under `state_dict` or `model`.

    Raises:
        BenchError: there is no such file, or it holds no weights.
    """
    content = read_tensors(path)
    is_checkpoint = MARK in content
    weights = as_checkpoint(path, content).weights if is_checkpoint else _state_dict(content)
    strangers = [str(name) for name, value in weights.items() if not isinstance(value, Tensor)]
    if strangers or not weights:
        found = f"`{strangers[0]}` is none" if strangers else "it is empty"
        raise BenchError(f"{path}: must hold the weights of a network as tensors by name, but {found}.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return Given(path, digest, is_checkpoint, weights)


def load_given(model: nn.Module, given: Given, *, redraw_last_layer: bool) -> Origin:
    """Load the weights into a model that has its start; what is redrawn keeps that start.

    Raises:
        BenchError: they do not fit; the message names everything that does not.
    """
    ours = model.state_dict()
    has_our_names = _known(given, ours) >= _known(given, map(article_name, ours))
    named = {name: name if has_our_names else article_name(name) for name in ours}
    other_classes = [
        name for name in last_layer(model) if _differs_in_classes(ours[name], given.weights.get(named[name]))
    ]
    if other_classes and not redraw_last_layer:
        theirs = len(given.weights[named[other_classes[0]]])
        raise BenchError(
            f"{given.path}: was trained for {theirs} classes, but the data have "
            f"{len(ours[other_classes[0]])}. --redraw-last-layer draws {', '.join(other_classes)} from the "
            "seed and takes the rest."
        )
    weights = {**given.weights, **{named[name]: ours[name] for name in other_classes}}
    try:
        if has_our_names:
            model.load_state_dict(weights)
        else:
            load_article_state_dict(model, weights)
    except (ValueError, RuntimeError) as error:
        raise BenchError(
            f"{given.path}: does not fit the network of this variant. {' '.join(str(error).split())}"
        ) from error
    return Origin(
        sha256=given.sha256,
        kind="checkpoint" if given.is_checkpoint else "state_dict" if has_our_names else "article",
        redrawn=tuple(other_classes),
    )


def last_layer(model: nn.Module) -> list[str]:
    """The parameters of the module that gives the logits: by the order of definition the last one."""
    *_, (last, _) = model.named_parameters()
    module, dot, _ = last.rpartition(".")
    return [name for name in model.state_dict() if name.rpartition(".")[:2] == (module, dot)]


def _state_dict(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """As people save it; a network that was trained in parallel has `module.` before every name."""
    for key in ("state_dict", "model"):
        if isinstance(content.get(key), Mapping):
            content = content[key]
    prefix = "module."
    if all(str(name).startswith(prefix) for name in content):
        return {str(name).removeprefix(prefix): value for name, value in content.items()}
    return content


def _known(given: Given, names: Iterable[str]) -> int:
    """How many of these names a file has."""
    return sum(name in given.weights for name in names)


def _differs_in_classes(ours: Tensor, theirs: Tensor | None) -> bool:
    """Whether two layers differ in the number of their outputs alone."""
    return (
        theirs is not None
        and ours.dim() == theirs.dim() > 0
        and ours.shape[1:] == theirs.shape[1:]
        and len(ours) != len(theirs)
    )

# N images, C channels, H height, W width, D query width, P positions (H * W), K keys
"""Where a network's attention looks: the weights that the position in the middle gives to all others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from msanet_bench.model.attention.dot_product import DotProductAttention


@dataclass(frozen=True, slots=True, eq=False)
class AttentionMap:
    """What one block of attention does with some images.

    Attributes:
        name: Of the block, in the network.
        weights: (N, H, W), of the middle position, the mean of all heads; they sum to 1 over an image. None
            where the block's keys are no positions of its map.
        middle: Row and column of the position that looks.
        gamma: The factor on what attention adds, where the block has one: at 0 it adds nothing.
    """

    name: str
    weights: Tensor | None
    middle: tuple[int, int]
    gamma: float | None


def attention_maps(model: nn.Module, images_NCHW: Tensor) -> list[AttentionMap]:
    """The map of every dot-product attention that a forward pass meets, in its order."""
    found: list[AttentionMap] = []
    with torch.inference_mode(), _watched(model, found):
        model(images_NCHW)
    return found


@contextmanager
def _watched(model: nn.Module, found: list[AttentionMap]) -> Iterator[None]:
    """Hooks on each core, and on its block, whose input says what map the positions belong to."""
    sizes: dict[str, tuple[int, int, int]] = {}
    handles = []
    for name, core in model.named_modules():
        if isinstance(core, DotProductAttention):
            place = name.rpartition(".")[0]
            block = model.get_submodule(place)
            handles.append(block.register_forward_pre_hook(partial(_note_size, sizes, place)))
            handles.append(core.register_forward_pre_hook(partial(_look, sizes, found, place, block)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _note_size(
    sizes: dict[str, tuple[int, int, int]], place: str, _: nn.Module, inputs: tuple[Tensor, ...]
) -> None:
    images, (height, width) = inputs[0].shape[0], inputs[0].shape[2:]
    sizes[place] = images, height, width


def _look(
    sizes: dict[str, tuple[int, int, int]],
    found: list[AttentionMap],
    place: str,
    block: nn.Module,
    core: DotProductAttention,
    inputs: tuple[Tensor, ...],
) -> None:
    query_NDP, key_NDK, _, *bias_NPK = inputs
    images, height, width = sizes[place]
    middle = height // 2, width // 2
    weights = None
    if query_NDP.shape[2] == key_NDK.shape[2] == height * width:
        place_of_middle = middle[0] * width + middle[1]
        query_ND = core.scale * query_NDP[:, :, place_of_middle]
        score_NK = torch.einsum("nd,ndk->nk", query_ND, key_NDK)
        score_NK = sum((bias[:, place_of_middle] for bias in bias_NPK), score_NK)
        # heads are members of the batch; what is shown is their mean
        weights = score_NK.softmax(dim=1).reshape(images, -1, height, width).mean(dim=1).float().cpu()
    found.append(AttentionMap(place, weights, middle, _gamma(block)))


def _gamma(block: nn.Module) -> float | None:
    gamma = getattr(block, "gamma", None)
    return float(gamma) if isinstance(gamma, Tensor) and gamma.numel() == 1 else None

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
        weights: (N, H, W), of the middle position; they sum to 1 over an image. None where the block's keys
            are no positions of its map.
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
    sizes: dict[str, tuple[int, int]] = {}
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
    sizes: dict[str, tuple[int, int]], place: str, _: nn.Module, inputs: tuple[Tensor, ...]
) -> None:
    height, width = inputs[0].shape[2:]
    sizes[place] = height, width


def _look(
    sizes: dict[str, tuple[int, int]],
    found: list[AttentionMap],
    place: str,
    block: nn.Module,
    core: DotProductAttention,
    inputs: tuple[Tensor, ...],
) -> None:
    query_NDP, key_NDK = inputs[:2]
    height, width = sizes[place]
    middle = height // 2, width // 2
    weights = None
    if query_NDP.shape[2] == key_NDK.shape[2] == height * width:
        query_ND = core.scale * query_NDP[:, :, middle[0] * width + middle[1]]
        weight_NK = torch.einsum("nd,ndk->nk", query_ND, key_NDK).softmax(dim=1)
        weights = weight_NK.reshape(-1, height, width).float().cpu()
    found.append(AttentionMap(place, weights, middle, _gamma(block)))


def _gamma(block: nn.Module) -> float | None:
    gamma = getattr(block, "gamma", None)
    return float(gamma) if isinstance(gamma, Tensor) and gamma.numel() == 1 else None

"""The branch whose taps move: against a plain convolution, taps moved by hand, and sampling in numpy."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from msanet_bench.measure.macs import count_macs
from msanet_bench.measure.memory.estimate import ESTIMATED, estimate_memory
from msanet_bench.measure.receptive_field import effective_field, theoretical_field
from msanet_bench.model.branches.conv import Conv
from msanet_bench.model.branches.deformable import Deformable, DeformableConv2d
from msanet_bench.model.build import build
from msanet_bench.model.fused import fuse
from msanet_bench.model.initialise import initialise
from msanet_bench.spec import BlockSpec, BranchSpec, ModelSpec

SIZES = [(7, 9), (4, 6), (1, 1)]


def seeded(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Told(nn.Module):
    """Says how far taps move, whatever the map is."""

    def __init__(self, moves: Tensor) -> None:
        super().__init__()
        self.moves = moves

    def forward(self, _: Tensor) -> Tensor:
        return self.moves


def told(moves: Tensor, in_channels: int, out_channels: int, dilation: int = 1) -> DeformableConv2d:
    modulated = moves.shape[1] == 3 * 3 * 3
    conv = DeformableConv2d(in_channels, out_channels, 3, dilation, dilation, modulated=modulated).double()
    conv.moves = Told(moves)
    return conv


def network(**options: object) -> nn.Module:
    branches = {"moved": BranchSpec(block="deformable", options=options)}
    spec = ModelSpec(
        stem=BlockSpec(block="small"),
        width=0.125,
        depth=(1,),
        branches=branches,
        attention=BlockSpec(block="none"),
    )
    model = build(spec, num_classes=4)
    initialise(model, 0)
    return model.eval()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", [{}, {"kernel": 5}, {"dilation": 3}, {"kernel": 1}])
@pytest.mark.parametrize("modulated", [False, True])
def test_it_starts_as_the_plain_convolution(
    size: tuple[int, int],
    options: dict[str, int],
    modulated: bool,  # noqa: FBT001
) -> None:
    moved, plain = Deformable(3, 4, modulated=modulated, **options).double(), Conv(3, 4, **options).double()
    initialise(moved, 0)
    initialise(plain, 0)
    assert torch.equal(moved.conv.weight, plain.conv.weight)
    x = seeded(2, 3, *size)
    torch.testing.assert_close(moved(x), plain(x), rtol=1e-12, atol=1e-12)


def test_after_a_step_of_training_it_is_another() -> None:
    moved, plain = Deformable(3, 4).double(), Conv(3, 4).double()
    plain.load_state_dict({k: v for k, v in moved.state_dict().items() if ".moves." not in k})
    x = seeded(2, 3, 7, 9)
    for block in (moved, plain):
        block(x).square().sum().backward()
        with torch.no_grad():
            for parameter in block.parameters():
                parameter.sub_(0.1 * parameter.grad)
    assert not torch.allclose(moved(x), plain(x), rtol=1e-3)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 1), (-2, 1)])
def test_taps_that_all_move_alike_move_the_map(down: int, right: int) -> None:
    x = seeded(2, 3, 7, 9)
    moves = x.new_zeros(2, 18, 7, 9)
    moves[:, 0::2], moves[:, 1::2] = down, right
    conv = told(moves, 3, 4)
    shifted = nn.functional.conv2d(x, conv.weight, conv.bias, padding=4)
    wanted = shifted[:, :, 3 + down : 10 + down, 3 + right : 12 + right]
    torch.testing.assert_close(conv(x), wanted)


def sampled(image: NDArray[np.float64], row: float, column: float) -> NDArray[np.float64]:
    """Every channel between pixels, weighted by distance; 0 beyond the edge."""
    value = np.zeros(len(image))
    rows, columns = (range(math.floor(at), math.floor(at) + 2) for at in (row, column))
    for near, there in product(rows, columns):
        if 0 <= near < image.shape[1] and 0 <= there < image.shape[2]:
            value += (1 - abs(row - near)) * (1 - abs(column - there)) * image[:, near, there]
    return value


@pytest.mark.parametrize("moved", [18, 27])
@pytest.mark.parametrize("dilation", [1, 2])
def test_moved_taps_give_what_sampling_by_hand_gives(dilation: int, moved: int) -> None:
    x, moves = seeded(1, 2, 4, 5), 1.7 * seeded(1, moved, 4, 5)
    conv = told(moves, 2, 3, dilation)
    wanted = np.zeros((3, 4, 5))
    weight, image, moved_by = (tensor.detach().numpy() for tensor in (conv.weight, x[0], moves[0]))
    for row, column in product(range(4), range(5)):
        for tap, (down, right) in enumerate(product((-1, 0, 1), repeat=2)):
            at = (
                row + dilation * down + moved_by[2 * tap, row, column],
                column + dilation * right + moved_by[2 * tap + 1, row, column],
            )
            share = 2 / (1 + math.exp(-moved_by[18 + tap, row, column])) if moved > 18 else 1
            wanted[:, row, column] += share * weight[:, :, down + 1, right + 1] @ sampled(image, *at)
    wanted += conv.bias.detach().numpy()[:, None, None]
    np.testing.assert_allclose(conv(x)[0].detach().numpy(), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("options", "moves"), [({}, 18), ({"modulated": True}, 27)])
def test_both_convolutions_are_counted_by_hand(options: dict[str, bool], moves: int) -> None:
    # small stem 3 -> 8 on 16 x 16, halving 8 -> 16 to 8 x 8, the branch, 1 x 1 fusion, head of 8 and 4
    branch = 8 * 8 * 9 * 16 * (16 + moves)
    by_hand = 16 * 16 * 9 * 3 * 8 + 8 * 8 * 9 * 8 * 16 + branch + 8 * 8 * 16 * 16
    macs = count_macs(network(**options), (3, 16, 16))
    head = macs.by_part["head"]
    assert (macs.status, macs.by_part["branches.moved"]) == ("exact", branch)
    assert macs.total == by_hand + head


def test_no_number_is_said_of_what_depends_on_the_image() -> None:
    field = theoretical_field(network(), (3, 16, 16))
    assert (field.height, field.width, field.sees_all) == (None, None, None)
    assert field.status == "not known (deform_conv2d: has taps that lie where the image puts them)"
    # measured all the same: at the start it sees what a plain convolution does
    assert effective_field(network(), (3, 16, 16)).side is not None


def test_memory_is_estimated_and_norms_are_folded() -> None:
    model = network()
    assert estimate_memory(model, (3, 16, 16), train_batch=2).status == ESTIMATED
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-0.5, 0.5)
        x = seeded(2, 3, 16, 16).float()
        fused = fuse(model, x)
        torch.testing.assert_close(fused(x), model(x), rtol=1e-4, atol=1e-5)
    assert not [m for m in fused.modules() if isinstance(m, nn.BatchNorm2d)]


def test_an_export_for_torch_holds_it() -> None:
    program = torch.export.export(network(), (torch.zeros(2, 3, 16, 16),)).module()
    x = seeded(2, 3, 16, 16).float()
    torch.testing.assert_close(program(x), network()(x))

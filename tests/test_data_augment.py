"""Augmentation: reproducible, shape-keeping, and each change is the one that its name says."""

import pytest
import torch
from torch import Generator, Tensor

from msanet_bench.data import augment_batch
from msanet_bench.spec import Augmentation

NAMES: tuple[Augmentation, ...] = ("flip", "shift", "erase")


def _images(count: int = 400, channels: int = 2, height: int = 8, width: int = 12) -> Tensor:
    """Every pixel another positive number."""
    return torch.arange(1.0, count * channels * height * width + 1).view(count, channels, height, width)


def _augmented(images: Tensor, *names: Augmentation, seed: int = 0) -> Tensor:
    return augment_batch(images, names, Generator().manual_seed(seed))


@pytest.mark.parametrize("names", [*((name,) for name in NAMES), NAMES])
@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (5, 3, 9, 16), (2, 1, 28, 28)])
def test_every_change_keeps_shape_and_type_and_is_reproducible(
    names: tuple[Augmentation, ...], shape: tuple[int, ...]
) -> None:
    images = _images(*shape)
    before = images.clone()
    changed = _augmented(images, *names)
    assert changed.shape == images.shape
    assert changed.dtype == images.dtype
    assert changed.is_contiguous()
    assert torch.equal(changed, _augmented(images, *names))
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_changes_images_differently(name: Augmentation) -> None:
    assert not torch.equal(_augmented(_images(), name), _augmented(_images(), name, seed=1))


def test_the_global_random_stream_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    _augmented(_images(), *NAMES)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_no_names_change_nothing() -> None:
    assert torch.equal(_augmented(_images()), _images())


def test_flip_mirrors_about_half_of_the_images() -> None:
    images = _images()
    flipped = 0
    for before, after in zip(images, _augmented(images, "flip"), strict=True):
        mirrored = torch.tensor([[row[::-1] for row in plane] for plane in before.tolist()])
        flipped += torch.equal(after, mirrored)
        assert torch.equal(after, mirrored) or torch.equal(after, before)
    # 400 fair coins: 200 +- 4 deviations of 10
    assert 160 < flipped < 240


def test_shift_moves_each_image_by_up_to_an_eighth() -> None:
    images = _images()
    moves = set()
    for before, after in zip(images, _augmented(images, "shift"), strict=True):
        move = _move_between(before, after)
        assert move is not None
        moves.add(move)
    # 8 rows: one up to one down; 12 columns: an eighth is 1.5, rounded up to 2
    assert moves == {(down, across) for down in (-1, 0, 1) for across in (-2, -1, 0, 1, 2)}


def _move_between(before: Tensor, after: Tensor) -> tuple[int, int] | None:
    """The move that makes one image of the other, tried one by one, zeros coming in."""
    _, height, width = before.shape
    for down in range(-3, 4):
        for across in range(-3, 4):
            moved = torch.zeros_like(before)
            for row in range(max(0, down), min(height, height + down)):
                for column in range(max(0, across), min(width, width + across)):
                    moved[:, row, column] = before[:, row - down, column - across]
            if torch.equal(moved, after):
                return down, across
    return None


def test_erase_zeroes_one_rectangle_in_about_half_of_the_images() -> None:
    images = _images()
    heights, widths = set(), set()
    untouched = 0
    for before, after in zip(images, _augmented(images, "erase"), strict=True):
        zero = after == 0
        assert torch.equal(zero[0], zero[1])
        assert torch.equal(after[~zero], before[~zero])
        rows, columns = zero[0].any(1).nonzero().flatten(), zero[0].any(0).nonzero().flatten()
        if len(rows) == 0:
            untouched += 1
            continue
        # a full rectangle: all pixels between its first and last row and column
        assert zero[0].sum() == len(rows) * len(columns)
        assert rows[-1] - rows[0] + 1 == len(rows)
        assert columns[-1] - columns[0] + 1 == len(columns)
        heights.add(len(rows))
        widths.add(len(columns))
    assert 160 < untouched < 240
    assert heights == {1, 2, 3, 4}
    assert widths == {1, 2, 3, 4, 5, 6}

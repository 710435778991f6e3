"""Made images of which the truth is known: what a harness must find in them, and what it must not."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from msanet_bench.data.dataset import Dataset, Images, Labels, Part, assemble
from msanet_bench.data.registry import DATASETS

Count = Annotated[int, Field(ge=2)]
Seed = Annotated[int, Field(ge=0)]
Draw: TypeAlias = Callable[[np.random.Generator, Labels], Images]

SIDE = 24
DARK, BRIGHT = 40, 220
NOISE = 8.0
# how often a stroke of `local` lies as the class says: no rule is right more often than 95.0 %
STROKE_SHARE = 0.7
# both even: a stride of 2 puts the two dots of a pair on one grid, whatever the class
NEAR, FAR = 10, 12
# where the two fields of an image begin; what lies between them is wider than the window of any branch
LEFT, RIGHT = 2, 38
STRIPES, STRIPE_GAP = 6, 4
FIELD, FIELD_GAP = 20, 12
BRIGHT_SHARE = (0.3, 0.7)


@DATASETS.register("control_local")
def local(root: Path, *, images: Count = 1000, test_images: Count = 1000, seed: Seed = 0) -> Dataset:
    """Strokes of two pixels, most of them across or most down: a window of 3 x 3 tells a stroke's direction.

    Each of the 16 strokes lies as the class says with chance 0.7, so to count them is the best rule, and is
    right for 95.0 % of images: P(more than 8 of 16) + P(8 of 16) / 2.
    """
    del root  # nothing is read from the data folder
    return _made(_strokes, ("across", "down"), images, test_images, seed)


@DATASETS.register("control_noise")
def noise(root: Path, *, images: Count = 1000, test_images: Count = 1000, seed: Seed = 0) -> Dataset:
    """Noise, labelled without a look at it: no network is better than chance on new images."""
    del root
    return _made(_noise, ("first", "second"), images, test_images, seed)


@DATASETS.register("control_texture_scale")
def texture_scale(root: Path, *, images: Count = 1000, test_images: Count = 1000, seed: Seed = 0) -> Dataset:
    """Two dots in each of three rows, 10 or 12 pixels apart on a ring: a window 9 wide holds one at most.

    The first dot falls anywhere on the ring and so does the second, whatever the class: windows that are too
    narrow for a pair hold the same things equally often in both. Heights are random, and all pixels noisy.
    """
    del root
    return _made(_pairs, ("fine", "coarse"), images, test_images, seed)


@DATASETS.register("control_long_range")
def long_range(root: Path, *, images: Count = 1000, test_images: Count = 1000, seed: Seed = 0) -> Dataset:
    """Six stripes left and six right, their three colours in one of two orders: is it the same on both sides?

    A window 3 wide holds one stripe at most and each colour comes twice a side, so such windows hold the
    same things equally often whatever the orders. A wider one tells a side's order, and none of 11 sees both
    sides.
    """
    del root
    return _made(_two_orders, ("same", "different"), images, test_images, seed)


@DATASETS.register("control_global_mean")
def global_mean(root: Path, *, images: Count = 1000, test_images: Count = 1000, seed: Seed = 0) -> Dataset:
    """Lines left, across or down, and right, far away, noise that is dark or bright: do they go together?

    Across goes with dark, down with bright. The lines add the same to the image's mean in either direction,
    so this mean tells how bright the noise is. No window of 11 sees both sides.
    """
    del root
    return _made(_lines_and_brightness, ("same", "different"), images, test_images, seed)


def _made(draw: Draw, classes: tuple[str, str], images: int, test_images: int, seed: int) -> Dataset:
    train, test = np.random.SeedSequence(seed).spawn(2)
    return assemble(_part(draw, train, images), _part(draw, test, test_images), classes)


def _part(draw: Draw, stream: np.random.SeedSequence, count: int) -> Part:
    labels = np.arange(count, dtype=np.int64) % 2
    return Part(draw(np.random.default_rng(stream), labels), labels)


def _noise(random: np.random.Generator, labels: Labels) -> Images:
    return random.integers(256, size=(len(labels), 1, 16, 16), dtype=np.uint8)


def _strokes(random: np.random.Generator, labels: Labels) -> Images:
    """One stroke in each of 16 fields of 4 x 4; its first pixel is away from the field's rim."""
    images = np.full((len(labels), 1, 16, 16), DARK, np.uint8)
    top, left = np.divmod(np.arange(16), 4)
    for image, label in zip(images, labels, strict=True):
        row, column = 4 * top + random.integers(1, 3, size=16), 4 * left + random.integers(1, 3, size=16)
        down = np.where(random.random(16) < STROKE_SHARE, label, 1 - label)
        image[0, row, column] = BRIGHT
        image[0, row + down, column + 1 - down] = BRIGHT
    return images


def _pairs(random: np.random.Generator, labels: Labels) -> Images:
    images = np.full((len(labels), 1, SIDE, SIDE), DARK, np.uint8)
    heights = np.arange(0, SIDE, 8) + random.integers(8, size=(len(labels), 3))
    first: Labels = random.integers(SIDE, size=(len(labels), 3))
    second = (first + np.where(labels, FAR, NEAR)[:, None]) % SIDE
    for columns in (first, second):
        images[np.arange(len(labels))[:, None], 0, heights, columns] = BRIGHT
    return _noisy(random, images)


def _two_orders(random: np.random.Generator, labels: Labels) -> Images:
    """Two fields of 4 x 21, each 0, 2 or 4 pixels further right: all stripes in even columns."""
    images = np.full((len(labels), 3, 4, RIGHT + 28), DARK, np.uint8)
    for begin, orders in zip((LEFT, RIGHT), _sides(labels), strict=True):
        shift, colour = 2 * random.integers(3, size=len(labels)), random.integers(3, size=len(labels))
        for stripe in range(STRIPES):
            colours = (colour + np.where(orders, 1, -1) * stripe) % 3
            images[np.arange(len(labels)), colours, :, begin + shift + STRIPE_GAP * stripe] = BRIGHT
    return _noisy(random, images)


def _lines_and_brightness(random: np.random.Generator, labels: Labels) -> Images:
    images = np.full((len(labels), 1, 4, 2 * FIELD + FIELD_GAP), 128, np.uint8)
    for image, down, bright in zip(images[:, 0], *_sides(labels), strict=True):
        lines = (np.indices((4, FIELD))[down] + random.integers(2)) % 2
        image[:, :FIELD] = np.where(lines, BRIGHT, DARK)
        num_bright = round(4 * FIELD * BRIGHT_SHARE[bright])
        pixels = random.permutation(np.arange(4 * FIELD) < num_bright).reshape(4, FIELD)
        image[:, -FIELD:] = np.where(pixels, BRIGHT, DARK)
    return _noisy(random, images)


def _sides(labels: Labels) -> tuple[Labels, Labels]:
    """For each image the kind, 0 or 1, of its left and its right side; they are equal where the label is 0.

    Of eight images three are (0, 0), one is (1, 1), two (0, 1) and two (1, 0). Equally many of each would
    leave a network whose score is a sum over windows nothing to learn, and so nothing to begin with.
    """
    turn = np.arange(len(labels)) // 2 % 4
    left = np.where(labels == 0, turn == 0, turn % 2 == 0).astype(np.int64)
    return left, left ^ labels


def _noisy(random: np.random.Generator, images: Images) -> Images:
    return np.clip(images + random.normal(scale=NOISE, size=images.shape), 0, 255).astype(np.uint8)

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
BANDS = (4, 12, 20)
# both even: a stride of 2 puts the two dots of a pair on one grid, whatever the class
NEAR, FAR = 10, 12


@DATASETS.register("control_local")
def local(root: Path, *, images: Count = 1000, test_images: Count = 1000, seed: Seed = 0) -> Dataset:
    """Strokes of two pixels, across or down: any window of 3 x 3 that holds one tells the class."""
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
    narrow for a pair hold the same things equally often in both.
    """
    del root
    return _made(_pairs, ("fine", "coarse"), images, test_images, seed)


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
        image[0, row, column] = BRIGHT
        image[0, row + label, column + 1 - label] = BRIGHT
    return images


def _pairs(random: np.random.Generator, labels: Labels) -> Images:
    images = np.full((len(labels), 1, SIDE, SIDE), DARK, np.uint8)
    first: Labels = random.integers(SIDE, size=(len(labels), len(BANDS)))
    second = (first + np.where(labels, FAR, NEAR)[:, None]) % SIDE
    for columns in (first, second):
        images[np.arange(len(labels))[:, None], 0, BANDS, columns] = BRIGHT
    return images

"""Made images that a network learns in a few steps: for tests and for trying a machine."""

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from msanet_bench.data.dataset import Dataset, Part, assemble
from msanet_bench.data.registry import DATASETS

Count = Annotated[int, Field(ge=1)]


@DATASETS.register("fake")
def fake(
    root: Path,
    *,
    classes: Annotated[int, Field(ge=2)] = 10,
    channels: Count = 3,
    size: Annotated[int, Field(ge=4)] = 32,
    images: Annotated[int, Field(ge=2)] = 256,
    test_images: Count = 64,
    seed: Annotated[int, Field(ge=0)] = 0,
) -> Dataset:
    """Square images: one slow wave a class and channel, under noise as strong as the wave."""
    del root  # nothing is read from the data folder
    random = np.random.default_rng(seed)
    waves = _waves(random, classes, channels, size)
    return assemble(
        _noisy(random, waves, images),
        _noisy(random, waves, test_images),
        [str(label) for label in range(classes)],
    )


def _waves(random: np.random.Generator, classes: int, channels: int, size: int) -> NDArray[np.float64]:
    """Waves of at most two periods an image, (classes, channels, size, size), within -1 and 1."""
    across, down, phase = random.random((3, classes, channels, 1, 1))
    turn = np.linspace(0, 2 * np.pi, size, endpoint=False)
    waves: NDArray[np.float64] = np.cos(2 * across * turn + 2 * down * turn[:, None] + 2 * np.pi * phase)
    return waves


def _noisy(random: np.random.Generator, waves: NDArray[np.float64], count: int) -> Part:
    labels = np.arange(count, dtype=np.int64) % len(waves)
    noise = random.uniform(-60, 60, size=(count, *waves.shape[1:]))
    # 127.5 +- 60 of wave +- 60 of noise stays within 7 and 248
    return Part(np.rint(127.5 + 60 * waves[labels] + noise).astype(np.uint8), labels)

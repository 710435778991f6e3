"""A few made photos in folders, and the experiment for ImageNet at a size that a test can train."""

from pathlib import Path

import numpy as np
from PIL import Image

IMAGENET = Path(__file__).parents[1] / "experiments" / "imagenet_folder.yaml"

# what of the experiment is smaller in the copy
_SMALLER = {
    "width: 1.0": "width: 0.125",
    "depth: [2, 3, 3]": "depth: [1, 1, 1]",
    "size: 224}": "size: 32, corrupt: skip}",
    "validation: 0.01": "validation: 0.1",
    "epochs: 90": "epochs: 1",
    "batch_size: 256": "batch_size: 8",
    "  auto: [channels_last, compile]\n": "",
    "seeds: 3": "seeds: 1",
    "latency_rounds: 160": "latency_rounds: 0",
}


def write_photos(folder: Path) -> None:
    """JPEGs of three sizes, dark or bright by class: 10 a class to train, 4 to test, and one cut off."""
    draw = np.random.default_rng(0)
    for label, level in (("dark", 60), ("bright", 190)):
        for part, count in (("train", 10), ("test", 4)):
            place = folder / part / label
            place.mkdir(parents=True)
            for number in range(count):
                shape = (70 + number % 3, 90, 3)
                pixels = (level + draw.integers(-50, 51, shape)).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{number}.jpg")
    whole = (folder / "train" / "dark" / "0.jpg").read_bytes()
    (folder / "train" / "dark" / "cut.jpg").write_bytes(whole[: len(whole) // 2])


def write_small_copy(folder: Path) -> Path:
    """`imagenet_folder.yaml` for the photos of `folder/data/imagenet`, which are written."""
    text = IMAGENET.read_text(encoding="utf-8")
    for old, new in _SMALLER.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    write_photos(folder / "data" / "imagenet")
    path = folder / "imagenet_folder.yaml"
    path.write_text(text, encoding="utf-8")
    return path

"""A plug-in for tests: images of noise in which the class may be written down."""

from pathlib import Path

from msanet_bench.data.controls import noise
from msanet_bench.data.dataset import Dataset, Part, assemble
from msanet_bench.data.registry import DATASETS


@DATASETS.register("leaking")
def leaking(root: Path, *, leaks: bool = False) -> Dataset:
    """The noise of `control_noise`; with `leaks` four rows are bright where the class is the second."""
    made = noise(root, images=500, test_images=500)
    parts = [
        Part(made.train_images.copy(), made.train_labels),
        Part(made.test_images.copy(), made.test_labels),
    ]
    for images, labels in parts if leaks else ():
        images[:, 0, :4] = 255 * labels[:, None, None]
    return assemble(*parts, made.classes)

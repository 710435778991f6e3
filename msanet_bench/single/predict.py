"""What a network says about image files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from msanet_bench.cell import start_worker
from msanet_bench.data import prepare, read_image
from msanet_bench.errors import DataError
from msanet_bench.single.loading import Loaded
from msanet_bench.train.evaluate import predict
from msanet_bench.train.numerics import Numerics


@dataclass(frozen=True, slots=True)
class Prediction:
    """One image file: a probability a class, in the order of the classes; or the reason why there is none."""

    file: Path
    probabilities: tuple[float, ...] = ()
    reason: str = ""


def predictions(loaded: Loaded, files: Sequence[Path]) -> Iterator[Prediction]:
    """What is said of each file, in their order; one that cannot be decoded does not stop the others.

    Files are fitted to the images that the network was trained on, and prepared as those were.
    """
    start_worker(loaded.card.stretches[-1].threads)
    size = loaded.card.settings.train.batch_size
    for start in range(0, len(files), size):
        some = files[start : start + size]
        read = [_read(loaded, file) for file in some]
        probabilities = iter(_probabilities(loaded, [image for image in read if isinstance(image, Tensor)]))
        for file, image in zip(some, read, strict=True):
            if isinstance(image, Tensor):
                yield Prediction(file, next(probabilities))
            else:
                yield Prediction(file, reason=image)


def _read(loaded: Loaded, file: Path) -> Tensor | str:
    """The image as it is stored, (C, H, W); or why it cannot be read."""
    try:
        return torch.from_numpy(read_image(file, loaded.card.image).copy())
    except DataError as error:
        return str(error)


def _probabilities(loaded: Loaded, images: Sequence[Tensor]) -> Iterable[tuple[float, ...]]:
    if not images:
        return []
    train = loaded.card.settings.train
    device = next(loaded.model.parameters()).device
    prepared_NCHW = prepare(torch.stack(list(images)).to(device), loaded.preprocessing)
    logits_NK = predict(loaded.model, [prepared_NCHW], Numerics(train.precision, train.channels_last))
    return [tuple(row) for row in logits_NK.double().softmax(dim=1).tolist()]

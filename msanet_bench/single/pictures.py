"""Attention maps and receptive fields as pictures for a report."""

from collections.abc import Sequence

from msanet_bench.data import Dataset
from msanet_bench.report.graphics import Picture, Pictures
from msanet_bench.single.attention import AttentionMap
from msanet_bench.single.fields import Field

MOST_IMAGES = 4
_COLOURS = 3


def first_of_classes(dataset: Dataset) -> list[int]:
    """The first test image of each of the first classes."""
    labels = dataset.test_labels.tolist()
    return [labels.index(label) for label in sorted(set(labels))[:MOST_IMAGES]]


def attention_pictures(
    dataset: Dataset, chosen: Sequence[int], maps: Sequence[AttentionMap]
) -> Pictures | None:
    """An image a row, a block of attention a column; None where no block has a map to draw."""
    drawn = [(found, found.weights) for found in maps if found.weights is not None]
    if not drawn:
        return None
    grid = tuple(
        (
            _image(dataset, number),
            *(Picture(weights[row].numpy(), "heat", mark=found.middle) for found, weights in drawn),
        )
        for row, number in enumerate(chosen)
    )
    return Pictures(
        name="attention",
        alt="Where the middle of the map looks, in each block of attention",
        rows=tuple(f"class {dataset.classes[int(dataset.test_labels[number])]}" for number in chosen),
        columns=("image", *(_title(found) for found, _ in drawn)),
        grid=grid,
        explained=(
            "The weights that the position under the cross gives to all others: the brighter, the more. "
            "gamma is the factor on what a block adds to its input: at 0 it adds nothing, wherever it looks."
        ),
    )


def field_pictures(start: Sequence[Field], trained: Sequence[Field]) -> Pictures | None:
    """The stages as columns, before and after training as rows; None where nothing could be measured."""
    if all(field.strength is None for field in (*start, *trained)):
        return None
    return Pictures(
        name="receptive_fields",
        alt="Effective receptive field of the central unit behind each stage",
        rows=("at the start", "trained"),
        columns=tuple(f"stage {field.stage}" for field in trained),
        grid=tuple(tuple(map(_field, fields)) for fields in (start, trained)),
        explained=(
            "The mean absolute gradient of the central unit at each pixel of seeded random images (Luo et "
            "al. 2016, arXiv:1701.04128). The side is the root of the number of pixels above 4.55 % of the "
            "largest."
        ),
    )


def _image(dataset: Dataset, number: int) -> Picture:
    """As it was found, in grey unless it has three channels."""
    pixels = dataset.test_images[number].transpose(1, 2, 0) / 255
    return Picture(pixels if pixels.shape[2] == _COLOURS else pixels[:, :, 0], "image")


def _title(found: AttentionMap) -> str:
    """`stages.1.blocks.0.attention` is stage 2, block 1."""
    numbers = [int(part) + 1 for part in found.name.split(".") if part.isdecimal()]
    words = [f"{name} {number}" for name, number in zip(("stage", "block"), numbers, strict=False)]
    gamma = [] if found.gamma is None else [f"gamma {found.gamma:.3f}"]
    return ", ".join([*(words or [found.name]), *gamma])


def _field(field: Field) -> Picture | None:
    if field.strength is None or field.side is None:
        return None
    return Picture(field.strength.numpy(), "heat", f"side {field.side:.1f} px")

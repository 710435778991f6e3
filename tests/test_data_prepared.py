"""A seed's data on a device: each part from its own rows, in memory or streamed by size."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from msanet_bench.data import (
    Batch,
    Dataset,
    Part,
    StreamSource,
    TensorSource,
    assemble,
    prepare_all,
    split,
)
from msanet_bench.data.batches import Source
from msanet_bench.data.prepared import MEMORY_LIMIT_BYTES
from msanet_bench.spec import DataSpec

CPU = torch.device("cpu")
SPEC = DataSpec(resize=6, validation=0.2)


def _dataset(*, validation: bool = False) -> Dataset:
    pixels = np.random.default_rng(0).integers(0, 256, size=(50, 1, 4, 4), dtype=np.uint8)
    labels = np.arange(50, dtype=np.int64) % 3
    official = Part(pixels[40:45], labels[40:45]) if validation else None
    return assemble(
        Part(pixels[:30], labels[:30]), Part(pixels[30:40], labels[30:40]), ("a", "b", "c"), official
    )


def _all(source: Source) -> torch.Tensor:
    return torch.cat([batch.images for batch in _in_order(source)])


def _labels(source: Source) -> list[int]:
    return torch.cat([batch.labels for batch in _in_order(source)]).tolist()


def _in_order(source: Source) -> Iterator[Batch]:
    return source.batches(torch.split(torch.arange(source.num_images), 7))


def test_each_part_has_its_images_and_labels() -> None:
    dataset = _dataset()
    drawn = split(dataset, SPEC, 0)
    data = prepare_all(dataset, SPEC, drawn, CPU)
    assert data.validation is not None
    assert (data.train.num_images, data.validation.num_images, data.test.num_images) == (24, 6, 10)
    assert (data.num_classes, data.image[0], data.digest) == (3, 1, dataset.digest)
    assert _labels(data.train) == dataset.train_labels[drawn.train].tolist()
    assert _labels(data.validation) == dataset.train_labels[drawn.validation].tolist()
    assert _labels(data.test) == dataset.test_labels.tolist()
    assert _all(data.test).shape == (10, 1, 6, 6)


def test_training_images_alone_are_normalised_to_mean_0() -> None:
    dataset = _dataset()
    data = prepare_all(dataset, SPEC, split(dataset, SPEC, 0), CPU)
    assert _all(data.train).double().mean().abs() < 1e-6
    assert _all(data.test).double().mean().abs() > 1e-4


def test_an_official_validation_part_is_used() -> None:
    dataset = _dataset(validation=True)
    spec = DataSpec(normalise=False)
    data = prepare_all(dataset, spec, split(dataset, spec, 0), CPU)
    assert data.validation is not None
    assert data.train.num_images == 30
    assert dataset.validation_images is not None
    scaled = dataset.validation_images.astype(np.float32) / np.float32(255)
    assert np.array_equal(_all(data.validation).numpy(), scaled)


def test_no_validation_is_none() -> None:
    spec = DataSpec(validation=0.0)
    dataset = _dataset()
    data = prepare_all(dataset, spec, split(dataset, spec, 0), CPU)
    assert data.validation is None


@pytest.mark.parametrize("mapped", [True, False])
def test_data_above_the_memory_limit_stream_with_the_same_bits(mapped: bool, tmp_path: Path) -> None:  # noqa: FBT001
    dataset = _dataset()
    if mapped:
        np.save(tmp_path / "train.npy", dataset.train_images)
        train = Part(np.load(tmp_path / "train.npy", mmap_mode="r"), dataset.train_labels)
        dataset = assemble(train, Part(dataset.test_images, dataset.test_labels), dataset.classes)
    drawn = split(dataset, SPEC, 0)
    # 40 images of 36 float32 numbers
    held = prepare_all(dataset, SPEC, drawn, CPU, memory_limit_bytes=40 * 36 * 4)
    streamed = prepare_all(dataset, SPEC, drawn, CPU, memory_limit_bytes=40 * 36 * 4 - 1)
    assert isinstance(held.train, TensorSource)
    assert isinstance(streamed.train, StreamSource)
    assert held.validation is not None
    assert streamed.validation is not None
    assert torch.equal(_all(held.train), _all(streamed.train))
    assert torch.equal(_all(held.validation), _all(streamed.validation))
    assert torch.equal(_all(held.test), _all(streamed.test))


def test_cifar10_is_held_whole_and_twice_as_much_is_not() -> None:
    images = 60_000 * 3 * 32 * 32 * 4
    assert images <= MEMORY_LIMIT_BYTES < 2 * images

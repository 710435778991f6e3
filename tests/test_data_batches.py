"""Batches: the rows asked for, and the same bits from memory, from arrays and from mapped files."""

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from msanet_bench.data import Batch, Preprocessing, StreamSource, TensorSource, prepare

PREPROCESSING = Preprocessing(12, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
ROWS = np.array([1, 2, 3, 5, 8, 13, 21, 22, 23, 24, 29])


def _epoch(seed: int = 0) -> list[Tensor]:
    return list(torch.split(torch.randperm(len(ROWS), generator=Generator().manual_seed(seed)), 4))


def _mapped(folder: Path) -> np.memmap:
    pixels = np.random.default_rng(0).integers(0, 256, size=(30, 3, 8, 8), dtype=np.uint8)
    np.save(folder / "images.npy", pixels)
    mapped: np.memmap = np.load(folder / "images.npy", mmap_mode="r")
    return mapped


def _stream(images: np.ndarray) -> StreamSource:
    return StreamSource(images, ROWS, torch.from_numpy(ROWS % 10), PREPROCESSING)


def _in_memory(images: np.ndarray) -> TensorSource:
    return TensorSource(prepare(torch.from_numpy(images[ROWS]), PREPROCESSING), torch.from_numpy(ROWS % 10))


def _same(ours: list[Batch], theirs: list[Batch]) -> bool:
    return all(
        torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels)
        for a, b in zip(ours, theirs, strict=True)
    )


def test_a_batch_from_memory_holds_the_rows_asked_for() -> None:
    images = torch.arange(6.0).view(6, 1, 1, 1)
    source = TensorSource(images, torch.arange(6) * 10)
    (batch,) = source.batches([torch.tensor([4, 1])])
    assert batch.images.flatten().tolist() == [4.0, 1.0]
    assert batch.labels.tolist() == [40, 10]
    assert source.num_images == 6


def test_streaming_gives_the_same_bits_as_memory(tmp_path: Path) -> None:
    mapped = _mapped(tmp_path)
    expected = list(_in_memory(mapped).batches(_epoch()))
    assert _stream(mapped).num_images == 11
    assert _same(list(_stream(mapped).batches(_epoch())), expected)
    assert _same(list(_stream(np.array(mapped)).batches(_epoch())), expected)


def test_twin_another_order_is_noticed(tmp_path: Path) -> None:
    mapped = _mapped(tmp_path)
    assert not _same(list(_stream(mapped).batches(_epoch(1))), list(_in_memory(mapped).batches(_epoch())))


def test_streaming_leaves_the_global_random_stream_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    list(_stream(_mapped(tmp_path)).batches(_epoch()))
    assert torch.equal(torch.random.get_rng_state(), before)


def _stream_in_a_daemon(folder: Path, sender: Connection) -> None:
    batches = _stream(np.load(folder / "images.npy", mmap_mode="r")).batches(_epoch())
    sender.send([batch.labels.tolist() for batch in batches])


def test_a_daemon_reads_by_itself(tmp_path: Path) -> None:
    expected = [batch.labels.tolist() for batch in _stream(_mapped(tmp_path)).batches(_epoch())]
    receiver, sender = multiprocessing.Pipe(duplex=False)
    daemon = multiprocessing.get_context("spawn").Process(
        target=_stream_in_a_daemon, args=(tmp_path, sender), daemon=True
    )
    daemon.start()
    assert receiver.poll(60)
    assert receiver.recv() == expected
    daemon.join()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="NOT CHECKED: no CUDA device")
def test_streaming_to_a_cuda_device_gives_the_rows_asked_for(tmp_path: Path) -> None:
    mapped = _mapped(tmp_path)
    source = StreamSource(mapped, ROWS, torch.from_numpy(ROWS % 10).cuda(), PREPROCESSING)
    for ours, expected in zip(source.batches(_epoch()), _in_memory(mapped).batches(_epoch()), strict=True):
        torch.testing.assert_close(ours.images.cpu(), expected.images)
        assert torch.equal(ours.labels.cpu(), expected.labels)

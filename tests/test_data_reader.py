"""Images read ahead from a mapped file: the same bits however many read, in memory that does not grow."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from msanet_bench.data import StreamSource, prepare_all
from msanet_bench.data.reader import stored_batches
from msanet_bench.errors import DataError
from singles import bits
from test_single_train import begun, finished

HERE = Path(__file__).parent
BATCHES = [np.array(rows) for rows in ([5, 0], [39, 7, 7, 1], [2], *([[n, n + 1] for n in range(20)]))]


def _mapped(folder: Path) -> np.memmap:
    pixels = np.random.default_rng(0).integers(0, 256, size=(40, 3, 6, 5), dtype=np.uint8)
    np.save(folder / "images.npy", pixels)
    mapped: np.memmap = np.load(folder / "images.npy", mmap_mode="r")
    return mapped


@pytest.mark.parametrize("readers", [0, 1, 2, 4])
def test_however_many_read_the_rows_are_those_asked_for_in_their_order(readers: int, tmp_path: Path) -> None:
    images = _mapped(tmp_path)
    expected = np.array(images)
    found = [batch.numpy() for batch in stored_batches(images, BATCHES, readers=readers)]
    assert all(np.array_equal(ours, expected[rows]) for ours, rows in zip(found, BATCHES, strict=True))


def _slow_first(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Reading the first row of all takes longer than all others; the places of the rows as they are read."""
    preadv, began = os.preadv, []

    def read(file: int, place: list[np.ndarray], at: int) -> int:
        began.append(at)
        if len(began) == 1:
            time.sleep(0.2)
        return preadv(file, place, at)

    monkeypatch.setattr(os, "preadv", read)
    return began


def test_a_batch_that_is_read_sooner_is_not_given_sooner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = _mapped(tmp_path)
    _slow_first(monkeypatch)
    first = next(stored_batches(images, BATCHES, readers=4))
    assert np.array_equal(first.numpy(), np.array(images)[[5, 0]])


def test_not_more_is_read_ahead_than_two_batches_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, began = _mapped(tmp_path), _slow_first(monkeypatch)
    batches = stored_batches(images, BATCHES, readers=2)
    next(batches)
    # the one that was given and four more: 2 + 4 + 1 + 2 + 2 rows
    patience = time.monotonic() + 30
    while len(began) < 11 and time.monotonic() < patience:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(began) == 11
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader")]


@pytest.mark.parametrize("readers", [0, 2])
def test_a_file_that_ends_early_is_named(readers: int, tmp_path: Path) -> None:
    images = _mapped(tmp_path)
    os.truncate(tmp_path / "images.npy", 128 + 39 * 90)
    with pytest.raises(DataError, match=r"images\.npy: ends before image 39\. Remove its folder"):
        list(stored_batches(images, BATCHES, readers=readers))


PETS = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data: {dataset: image_folder, options: {folder: pets, size: 8}, validation: 0.25, augment: [flip, shift]}
train: {epochs: 3, batch_size: 8, lr: 1e-2}
factors: {attention: [self_attention, none]}
seeds: 1
"""


def _streaming(monkeypatch: pytest.MonkeyPatch, readers: int) -> None:
    monkeypatch.setitem(prepare_all.__kwdefaults__, "memory_limit_bytes", 0)
    monkeypatch.setitem(StreamSource.__init__.__kwdefaults__, "readers", readers)


def test_a_run_that_streams_and_is_killed_ends_with_the_bits_of_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (tmp_path / "pets" / place).mkdir(parents=True)
        for number in range(12):
            Image.effect_noise((8, 8), 60).convert("RGB").save(tmp_path / "pets" / place / f"{number}.png")
    weights: list[dict[str, bytes]] = []
    cards: list[object] = []
    for readers in (None, 0, 4):
        folder = tmp_path / str(readers)
        folder.mkdir()
        torch.manual_seed(len(cards))
        if readers is not None:
            _streaming(monkeypatch, readers)
            _forget_data()
            begun(folder, 1, PETS, data_root=tmp_path)
        _forget_data()
        ended = finished(folder, PETS, data_root=tmp_path, resume=readers is not None)
        weights.append(bits(ended.weights))
        cards.append(ended.card)
    assert weights[0] == weights[1] == weights[2]
    assert cards[0] == cards[1] == cards[2]


def _forget_data() -> None:
    """As another process would: without the data that cells of this one have in memory."""
    from msanet_bench.cell import ready  # noqa: PLC0415

    ready._prepared.cache_clear()
    ready._dataset.cache_clear()


GROWTH = """
import itertools, json, sys
from pathlib import Path
import numpy as np, torch
from msanet_bench.data import Preprocessing, StreamSource
from memory_use import anonymous, resident

images = np.load(sys.argv[1], mmap_mode="r")
rows = np.random.default_rng(0).permutation(len(images))
order = torch.split(torch.arange(len(rows)), 64)


def streamed():
    labels = torch.zeros(len(rows), dtype=torch.int64)
    source = StreamSource(images, rows, labels, Preprocessing(None, (0.0,) * 3, (1.0,) * 3))
    for batch in source.batches(order):
        yield batch


def through_the_map():
    for index in order:
        yield images[rows[index.numpy()]]


def whole():
    yield np.array(images)


def growth(way, warm=0):
    for _ in itertools.islice(way(), warm):
        pass
    kept, held = (anonymous(), resident()), (0, 0)
    for _ in way():
        held = max(held[0], anonymous()), max(held[1], resident())
    return held[0] - kept[0], held[1] - kept[1]


# the first batches load parts of torch and start threads, whatever the number of images
print(json.dumps({"streamed": growth(streamed, 8), "map": growth(through_the_map), "whole": growth(whole)}))
"""


def test_memory_does_not_grow_with_the_images_where_they_are_streamed(tmp_path: Path) -> None:
    """Twins read through the map, which fills resident memory, or load all, which fills anonymous memory."""
    file = tmp_path / "images.npy"
    images = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=(8192, 3, 64, 64))
    size = images.nbytes
    assert size == 96 * 2**20
    command = [sys.executable, "-c", GROWTH, str(file)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    growth = json.loads(done.stdout)
    limit = size // 3
    assert max(growth["streamed"]) < limit
    assert growth["map"][0] < limit < growth["map"][1]
    assert growth["whole"][0] > limit

"""Whether images of a folder are read as fast as a GPU trains on them, and in how much memory.

    python tests/benchmarks/reader.py [IMAGES] [RATE]    # 20,000 made images; 4 GB below the temporary folder

Memory: a quarter, a half and all of the images are decoded, opened again, and read for an epoch, each in a
fresh process; the peak of its anonymous memory above what it held after its imports. What decoding and
opening take more for all than for the quarter is carried on to the 1,331,167 images of ImageNet (training and
validation). An epoch of so many is begun for real, on a file that is all holes: 20 batches of it.

Speed: an epoch in random order by each number of reader threads, and by one process of a DataLoader over the
map, which is the usual way; as the system has the file in its cache, and after it was told to forget it (the
disk or the host below it may have caches of their own). Beside it, images a second of processor time.

The step: nothing here has a GPU. A step of 256 images takes as long as RATE says while the host sleeps, as it
does while a device works, or half the time computes in Python, as it does while it launches kernels; pixels
are then on the host, and to copy and normalise them is the device's. RATE, in images a second, is by default
what the full MSANet would train at 60 TFLOP/s: a fifth of the 312 TFLOP/s of an A100 (bf16, NVIDIA's data
sheet), which is an assumption, over 3 x 2 x its multiply-accumulates at 224 pixels (backward twice forward).
What is shown is the share of the time of an epoch in which the step waited for its batch, the first
included; of a long epoch, of its first 30 steps.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

import msanet_bench as mb
from msanet_bench.data import Dataset, load, prepare_all, split
from msanet_bench.data.dataset import Rows
from msanet_bench.data.reader import stored_batches
from msanet_bench.spec import DataSpec

# the one above this folder: what a test uses too
sys.path.insert(0, str(Path(__file__).parents[1]))
from memory_use import anonymous

IMAGES, BATCH, CLASSES, SIDE = 20_000, 256, 100, 224
IMAGENET = 1_281_167 + 50_000
STEPS = 30
ASSUMED_FLOPS = 60e12
SHARES = (4, 2, 1)
EPOCH = "epoch"
BEGUN = "epoch begun"
# in this order: what is decoded is there to be opened
PHASES = ("decoded", "opened", EPOCH)

Read = Callable[[np.memmap, Sequence[Rows]], Iterator[Tensor]]


class MappedBatches(TorchDataset[Tensor]):
    """Batches of a mapped file, opened anew for each: a map that is pickled is the whole file."""

    def __init__(self, file: Path, batches: Sequence[Rows]) -> None:
        self.file = file
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> Tensor:
        return torch.from_numpy(np.load(self.file, mmap_mode="r")[self.batches[number]])


def by_loader(images: np.memmap, batches: Sequence[Rows]) -> Iterator[Tensor]:
    file = MappedBatches(Path(str(images.filename)), batches)
    yield from DataLoader(file, batch_size=None, num_workers=1, generator=Generator())


READERS: dict[str, Read] = {
    **{f"{n} threads": partial(stored_batches, readers=n) for n in (0, 1, 2)},
    "1 process": by_loader,
}


def main(images: int, rate: float | None) -> None:
    with TemporaryDirectory(prefix="msanet_reader.") as folder:
        root = Path(folder)
        clock = time.perf_counter()
        make_images(root, images)
        print(f"{images} JPEGs of 64 to 96 pixels made in {time.perf_counter() - clock:.0f} s")
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (others' work slows all that is timed)")
        show_memory(root, [images // share for share in SHARES])
        (largest,) = (
            file for file in root.glob(".msanet_cache/*/train.npy") if _rows(file) > images * 9 // 10
        )
        show_speed(largest)
        show_steps(largest, rate or assumed_rate())
        print(f"\nload {os.getloadavg()[0]:.1f}")


def make_images(root: Path, count: int) -> None:
    """A folder each for the shares of the images, with links to the same files; one in 20 is a test image."""
    draw = np.random.default_rng(0)
    folders = [root / str(count // share) for share in SHARES]
    for number in range(count):
        height, width = draw.integers(64, 97, size=2)
        coarse = Image.fromarray(draw.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        part = "test" if number % 20 == 0 else "train"
        name = Path(part, f"class{number // 20 % CLASSES:03}", f"{number:07}.jpg")
        first, *others = [folder / name for folder in folders if number < int(folder.name)][::-1]
        first.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize((int(width), int(height)), Image.Resampling.BICUBIC).save(first)
        for other in others:
            other.parent.mkdir(parents=True, exist_ok=True)
            other.hardlink_to(first)


def show_memory(root: Path, counts: Sequence[int]) -> None:
    """Peaks of anonymous memory, and seconds, of each number of images."""
    print("\nanonymous memory at its peak, above that after the imports; seconds")
    print(f"{'images':>10}" + "".join(f"{phase:>24}" for phase in PHASES), flush=True)
    used = {}
    for count in counts:
        used[count] = {phase: _in_fresh_process(root, count, phase) for phase in PHASES}
        print(f"{count:>10}" + "".join(f"{_shown(use):>24}" for use in used[count].values()), flush=True)
    first, *_, last = counts
    grown = {
        phase: (used[last][phase].peak - used[first][phase].peak) / (last - first) for phase in PHASES[:2]
    }
    carried = [used[last][phase].peak + growth * (IMAGENET - last) for phase, growth in grown.items()]
    begun = _in_fresh_process(root, IMAGENET, BEGUN)
    print(f"{'an image':>10}" + "".join(f"{f'{bytes_:.0f} B':>24}" for bytes_ in grown.values()))
    peaks = [f"{peak / 1e6:.0f} MB (carried on)" for peak in carried]
    print(f"{IMAGENET:>10}" + "".join(f"{peak:>24}" for peak in (*peaks, _shown(begun))))


class Use(NamedTuple):
    """What a phase took: bytes and seconds."""

    peak: int
    seconds: float


def _shown(use: Use) -> str:
    return f"{use.peak / 1e6:.1f} MB {use.seconds:6.1f} s"


def _in_fresh_process(root: Path, count: int, phase: str) -> Use:
    command = [sys.executable, __file__, phase, str(root), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Use(*json.loads(done.stdout))


def use(phase: str, root: Path, count: str) -> None:
    """One phase in this process; what it took, as JSON."""
    options = {"folder": count, "size": SIDE}
    spec = DataSpec(dataset="image_folder", options=options, validation=0.01, normalise=False)
    torch.set_num_threads(1)
    with _watched() as watch:
        dataset = _holes(root, int(count)) if phase == BEGUN else load(spec, root)
    if phase in {EPOCH, BEGUN}:
        with _watched() as watch:
            drawn = split(dataset, spec, 0)
            data = prepare_all(dataset, spec, drawn, torch.device("cpu"), memory_limit_bytes=0)
            batches = data.train.batches(torch.split(torch.randperm(data.train.num_images), BATCH))
            for _ in islice(batches, 20 if phase == BEGUN else None):
                pass
    print(json.dumps(watch[0]))


def _holes(root: Path, count: int) -> Dataset:
    """Black images of 1000 classes in a file that takes no room."""
    shape = (count, 3, SIDE, SIDE)
    np.lib.format.open_memmap(root / "holes.npy", mode="w+", dtype=np.uint8, shape=shape)
    images: np.memmap = np.load(root / "holes.npy", mmap_mode="r")
    labels = np.arange(count, dtype=np.int64) % 1000
    return Dataset(images, labels, images, labels[:1000], tuple(map(str, range(1000))), digest="")


@contextmanager
def _watched() -> Iterator[list[Use]]:
    """What happens inside, in a list that has it at the end: a thread looks every 2 ms."""
    before, clock = anonymous(), time.perf_counter()
    peak, ended, found = [before], threading.Event(), []

    def look() -> None:
        while not ended.wait(0.002):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=look)
    watcher.start()
    yield found
    ended.set()
    watcher.join()
    found.append(Use(peak[0] - before, time.perf_counter() - clock))


def show_speed(file: Path) -> None:
    print(
        f"\nimages a second in random order, {_rows(file)} of 3 x {SIDE} x {SIDE} bytes (of processor time)"
    )
    print(f"{'':>10}{'in the cache':>24}{'forgotten':>24}")
    for name, read in READERS.items():
        speeds = [_speed(file, read, is_forgotten=forgotten) for forgotten in (False, True)]
        print(f"{name:>10}" + "".join(f"{speed:>24}" for speed in speeds), flush=True)


def _speed(file: Path, read: Read, *, is_forgotten: bool) -> str:
    images, batches = _opened(file)
    if is_forgotten:
        with file.open("rb") as opened:
            os.fdatasync(opened.fileno())
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    clock, before = time.perf_counter(), _processor_seconds()
    count = sum(len(batch) for batch in read(images, batches))
    seconds, processor = time.perf_counter() - clock, _processor_seconds() - before
    return f"{count / seconds:.0f} ({count / processor:.0f})"


def show_steps(file: Path, rate: float) -> None:
    print(f"\nshare of {STEPS} steps of {BATCH} images that was waiting; {rate:.0f} images a second are 1x")
    paces = (0.25, 0.5, 1, 2)
    print(f"{'':>10}{'the host':>10}" + "".join(f"{f'{pace}x':>10}" for pace in paces))
    for name, read in READERS.items():
        for host, busy in (("sleeps", 0.0), ("half busy", 0.5)):
            waits = [_waiting(file, read, BATCH / rate / pace, busy) for pace in paces]
            print(f"{name:>10}{host:>10}" + "".join(f"{wait:>10.1%}" for wait in waits), flush=True)


def _waiting(file: Path, read: Read, step_seconds: float, busy: float) -> float:
    images, rows = _opened(file)
    batches = iter(read(images, rows[:STEPS]))
    began, waited = time.perf_counter(), 0.0
    while True:
        clock = time.perf_counter()
        batch = next(batches, None)
        waited += time.perf_counter() - clock
        if batch is None:
            return waited / (time.perf_counter() - began)
        _step(step_seconds, busy)


def _step(seconds: float, busy: float) -> None:
    end = time.perf_counter() + seconds
    launched = time.perf_counter() + busy * seconds
    while time.perf_counter() < launched:
        pass
    time.sleep(max(0.0, end - time.perf_counter()))


def assumed_rate() -> float:
    """Images a second: see the top of this file."""
    flops = 3 * 2 * mb.macs(mb.msanet(num_classes=1000), (3, SIDE, SIDE))
    print(f"\nthe full MSANet takes {flops / 1e9:.2f} GFLOP to train on an image", end="")
    print(f": {ASSUMED_FLOPS / flops:.0f} images a second at {ASSUMED_FLOPS / 1e12:.0f} TFLOP/s")
    return ASSUMED_FLOPS / flops


def _rows(file: Path) -> int:
    return len(np.load(file, mmap_mode="r"))


def _opened(file: Path) -> tuple[np.memmap, list[Rows]]:
    images: np.memmap = np.load(file, mmap_mode="r")
    order = np.random.default_rng(0).permutation(len(images))
    return images, [order[start : start + BATCH] for start in range(0, len(order), BATCH)]


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in {*PHASES, BEGUN}:
        use(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
    else:
        main(
            int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES,
            float(sys.argv[2]) if len(sys.argv) > 2 else None,
        )

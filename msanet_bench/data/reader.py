"""Stored images batch by batch: from memory, or from a mapped file that threads read ahead.

A row of a file is read by one call to its place in the batch and not through the map: pages that a map has
touched count as memory of the process, and `--memory-limit` would end it for the system's cache. Threads are
enough, since reading is but a copy during which Python is free: nothing is sent between processes, and a
worker of a sweep, which may have no children, reads ahead too.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from msanet_bench.data.dataset import Images, Rows
from msanet_bench.errors import DataError

# one thread with a core to itself keeps up with a GPU, and a second one hides a stall: docs/data.md
READERS = 2

# each reader has one batch in hand and one that waits
_BATCHES_A_READER = 2


def stored_batches(
    images: Images, batches: Sequence[Rows], *, readers: int = READERS, pinned: bool = False
) -> Iterator[Tensor]:
    """The images of each batch, uint8 (N, C, H, W) on the CPU, in the order asked for, whoever reads them.

    Args:
        images: In memory, or the whole of a mapped `.npy` file.
        batches: The rows of each.
        readers: Threads that read such a file ahead; 0 reads each batch when it is asked for.
        pinned: In memory that a CUDA device copies from by itself.

    Raises:
        DataError: a file ends before a row.
    """
    if not isinstance(images, np.memmap):
        yield from (torch.from_numpy(images[rows]) for rows in batches)
        return
    with Path(str(images.filename)).open("rb", buffering=0) as file:
        read = partial(_read, file.fileno(), images, pinned=pinned)
        if readers == 0:
            yield from map(read, batches)
            return
        with ThreadPoolExecutor(readers, thread_name_prefix="reader") as threads:
            waiting: deque[Future[Tensor]] = deque()
            for rows in batches:
                waiting.append(threads.submit(read, rows))
                if len(waiting) > _BATCHES_A_READER * readers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def _read(file: int, images: np.memmap, rows: Rows, *, pinned: bool) -> Tensor:
    batch = torch.empty((len(rows), *images.shape[1:]), dtype=torch.uint8, pin_memory=pinned)
    row_bytes = int(np.prod(images.shape[1:]))
    for place, row in zip(batch.numpy(), rows.tolist(), strict=True):
        if os.preadv(file, [place], images.offset + row * row_bytes) < row_bytes:
            raise DataError(
                f"{images.filename}: ends before image {row}. Remove its folder: it is made again from the "
                "image files."
            )
    return batch

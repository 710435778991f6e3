"""How fast and where a results folder is: what a sweep waits for after each cell. Loads no torch."""

import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

Kind = Literal["disk", "memory", "network"]

SYNCS = 20
# the 21 records of results/fashion_mnist_pilot take 60,728 bytes: 2,892 each; the journal adds when and where
LINE = b"x" * 3071 + b"\n"
_NANOSECOND = 1e-9
_MEMORY = {"tmpfs", "ramfs"}
_NETWORK = re.compile(r"nfs4?|cifs|smb3|smbfs|9p|ceph|lustre|gpfs|beegfs|afs|fuse\.(sshfs|glusterfs|s3fs)")


@dataclass(frozen=True, slots=True)
class StorageSpeed:
    """One folder's storage.

    Attributes:
        sync_s: Median seconds to append a line as long as the journal's and wait until it is on the disk.
        file_system: As Linux calls it; None where that cannot be read.
        kind: `memory` does not outlive the machine, and `network` may not keep a lock; None where unknown.
    """

    sync_s: float
    file_system: str | None
    kind: Kind | None


def storage_speed(folder: Path, *, mounts: Path = Path("/proc/self/mounts")) -> StorageSpeed:
    """Time 20 lines in a file of the folder that is removed afterwards.

    Raises:
        OSError: nothing can be written there.
    """
    file_system = file_system_of(folder, mounts)
    return StorageSpeed(_sync_seconds(folder), file_system, _kind(file_system))


def file_system_of(folder: Path, mounts: Path) -> str | None:
    """The type of the file system that holds the folder, from Linux's list of mounts."""
    if not mounts.exists():
        return None
    place = folder.resolve()
    held = [
        (len(point.parts), number, kind)
        for number, (point, kind) in enumerate(map(_mount, mounts.read_text(encoding="utf-8").splitlines()))
        if place.is_relative_to(point)
    ]
    # the deepest mount point, and of several at one point the one that was mounted over the others
    return max(held)[2] if held else None


def _mount(line: str) -> tuple[Path, str]:
    _, point, kind, *_ = line.split(" ")
    # a space in a path is written as \040
    return Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point)), kind


def _kind(file_system: str | None) -> Kind | None:
    if file_system is None:
        return None
    if file_system in _MEMORY:
        return "memory"
    if _NETWORK.fullmatch(file_system):
        return "network"
    # what lies behind another driver in user space cannot be told
    return None if file_system.startswith("fuse") else "disk"


def _sync_seconds(folder: Path) -> float:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".sync-", buffering=0) as file:
        return median(_sync_once(file.fileno()) for _ in range(SYNCS))


def _sync_once(descriptor: int) -> float:
    start = time.perf_counter_ns()
    os.write(descriptor, LINE)
    os.fsync(descriptor)
    return (time.perf_counter_ns() - start) * _NANOSECOND

import os
import time
from pathlib import Path

import pytest

from msanet_bench.measure import storage as storage_module
from msanet_bench.measure.storage import LINE, SYNCS, Kind, file_system_of, storage_speed


def test_a_line_is_written_and_synced_twenty_times_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def slow(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        time.sleep(0.004)

    monkeypatch.setattr(os, "fsync", slow)
    speed = storage_speed(tmp_path)
    assert sizes == [len(LINE) * count for count in range(1, SYNCS + 1)]
    assert 0.004 <= speed.sync_s < 0.1
    assert list(tmp_path.iterdir()) == []


def test_the_time_is_the_median(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 19 syncs of 2 ms and one of 5 s: the mean would be 0.25 s
    ticks = iter([tick for n in range(20) for tick in (0, 5_000_000_000 if n == 7 else 2_000_000)])
    monkeypatch.setattr(time, "perf_counter_ns", lambda: next(ticks))
    assert storage_speed(tmp_path).sync_s == pytest.approx(2e-3)


def test_a_folder_that_cannot_be_written_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        storage_speed(tmp_path / "missing")


def mounts(folder: Path, *lines: str) -> Path:
    path = folder / "mounts"
    path.write_text("".join(f"{line} rw 0 0\n" for line in lines), encoding="ascii")
    return path


def test_the_deepest_mount_point_holds_a_folder(tmp_path: Path) -> None:
    inside = tmp_path / "a b" / "c"
    inside.mkdir(parents=True)
    above = str(tmp_path).replace(" ", r"\040")
    table = mounts(
        tmp_path,
        "/dev/vda / ext4",
        rf"server:/x {above}/a\040b nfs4",
        f"none {above} tmpfs",
        f"other {above}/a xfs",  # a name that is a part of another is no folder of it
    )
    assert file_system_of(inside, table) == "nfs4"
    assert file_system_of(tmp_path, table) == "tmpfs"
    assert file_system_of(Path("/"), table) == "ext4"


def test_what_is_mounted_over_another_is_seen(tmp_path: Path) -> None:
    assert file_system_of(tmp_path, mounts(tmp_path, "rootfs / rootfs", "/dev/vda / btrfs")) == "btrfs"


@pytest.mark.parametrize(
    ("file_system", "kind"),
    [
        ("ext4", "disk"),
        ("overlay", "disk"),
        ("tmpfs", "memory"),
        ("nfs", "network"),
        ("nfs4", "network"),
        ("cifs", "network"),
        ("lustre", "network"),
        ("fuse.sshfs", "network"),
        ("fuse.unheard_of", None),
        ("fuseblk", None),
    ],
)
def test_the_kind_of_a_file_system(tmp_path: Path, file_system: str, kind: Kind | None) -> None:
    speed = storage_speed(tmp_path, mounts=mounts(tmp_path, f"x / {file_system}"))
    assert (speed.file_system, speed.kind) == (file_system, kind)


def test_without_a_list_of_mounts_the_kind_is_unknown(tmp_path: Path) -> None:
    speed = storage_speed(tmp_path, mounts=tmp_path / "missing")
    assert (speed.file_system, speed.kind) == (None, None)
    assert speed.sync_s > 0


def test_a_line_is_as_long_as_those_of_the_committed_results() -> None:
    records = Path(storage_module.__file__).parents[2] / "results/fashion_mnist_pilot/records.jsonl"
    lines = records.read_bytes().splitlines(keepends=True)
    assert len(LINE) == pytest.approx(sum(map(len, lines)) / len(lines), rel=0.25)

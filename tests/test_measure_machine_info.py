import json
import os
import re
from pathlib import Path

import pytest

from msanet_bench.measure.machine_info import machine_info

FROM_FILES = {
    "proc/sys/kernel/osrelease": "6.1.0-18-amd64",
    "proc/sys/kernel/randomize_va_space": "2",
    "proc/meminfo": "MemTotal:       16384 kB\nMemFree:         1024 kB",
    "proc/cpuinfo": "processor : 0\nflags\t: fpu hypervisor avx2",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "kvm-clock",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "sys/devices/system/node/node0/cpulist": "0-3",
    "sys/devices/system/node/node1/cpulist": "4-7",
    "sys/fs/cgroup/cpu.max": "150000 100000",
    "sys/class/dmi/id/sys_vendor": "QEMU",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="ascii")
    return root


def test_a_machine_is_told_as_linux_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/usr/lib/libjemalloc.so.2")
    told = machine_info(write(tmp_path, FROM_FILES))
    # "glibc 2.36" by confstr(3), where platform reads the program's symbols
    assert told.pop("libc").split()[0] == os.confstr("CS_GNU_LIBC_VERSION").split()[0]
    assert list(told.items()) == [
        ("kernel", "6.1.0-18-amd64"),
        ("preloaded", ["libjemalloc.so.2"]),
        ("memory_bytes", 16_777_216),
        ("numa_nodes", 2),
        ("clocksource", "kvm-clock"),
        ("transparent_huge_pages", "madvise"),
        ("address_randomisation", "2"),
        ("cpu_quota", "150000 100000"),
        ("container", None),
        ("virtual_machine", True),
        ("vendor", "QEMU"),
    ]


def test_what_linux_does_not_tell_is_none_and_never_a_zero(tmp_path: Path) -> None:
    told = machine_info(tmp_path)
    del told["libc"], told["preloaded"]
    assert set(told.values()) == {None}


@pytest.mark.parametrize(
    ("mark", "container"),
    [(".dockerenv", "docker"), ("run/.containerenv", "podman"), ("run/systemd/container", "lxc")],
)
def test_a_container_is_known_by_its_mark(tmp_path: Path, mark: str, container: str) -> None:
    assert machine_info(write(tmp_path, {mark: "lxc"}))["container"] == container


def test_the_older_groups_tell_their_quota_in_two_files(tmp_path: Path) -> None:
    folder = "sys/fs/cgroup/cpu"
    files = {f"{folder}/cpu.cfs_quota_us": "-1", f"{folder}/cpu.cfs_period_us": "100000"}
    assert machine_info(write(tmp_path, files))["cpu_quota"] == "-1 100000"


def test_a_processor_of_its_own_is_no_virtual_machine(tmp_path: Path) -> None:
    told = machine_info(write(tmp_path, {"proc/cpuinfo": "flags : fpu avx2"}))
    assert told["virtual_machine"] is False


def test_the_memory_of_this_machine_agrees_with_another_way_of_asking() -> None:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert machine_info()["memory_bytes"] == pytest.approx(pages, rel=0.01)
    assert machine_info()["kernel"] == os.uname().release
    assert not re.search(r"/\w+/", json.dumps(machine_info()))

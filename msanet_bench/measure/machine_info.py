"""The machine around the processors, from Linux's files; None where one cannot be read. Loads no torch."""

import os
import platform
import re
from pathlib import Path
from typing import Any

from msanet_bench.measure.kernel_files import cpuinfo_value, read_text
from msanet_bench.measure.variables import preloaded_libraries

_KIBIBYTE = 1024


def machine_info(root: Path = Path("/")) -> dict[str, Any]:
    """Kernel, memory, clock and whether this is a container or a guest, as plain values in a fixed order."""
    return {
        "kernel": read_text(root / "proc/sys/kernel/osrelease"),
        "libc": " ".join(platform.libc_ver()),
        "preloaded": preloaded_libraries(os.environ),
        "memory_bytes": _memory_bytes(root / "proc/meminfo"),
        "numa_nodes": len(list((root / "sys/devices/system/node").glob("node[0-9]*"))) or None,
        "clocksource": read_text(root / "sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "transparent_huge_pages": _chosen(read_text(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        "address_randomisation": read_text(root / "proc/sys/kernel/randomize_va_space"),
        "cpu_quota": _cpu_quota(root / "sys/fs/cgroup"),
        "container": _container(root),
        "virtual_machine": _virtual_machine(root),
        "vendor": read_text(root / "sys/class/dmi/id/sys_vendor"),
    }


def _memory_bytes(meminfo: Path) -> int | None:
    found = re.search(r"^MemTotal:\s+(\d+) kB", read_text(meminfo) or "", re.MULTILINE)
    return int(found[1]) * _KIBIBYTE if found else None


def _chosen(choices: str | None) -> str | None:
    """The one in brackets of `always [madvise] never`."""
    found = re.search(r"\[(\w+)\]", choices or "")
    return found[1] if found else None


def _cpu_quota(cgroup: Path) -> str | None:
    """Microseconds of processor time in a period, and the period; `max` or `-1` as the first is no limit."""
    first = cgroup / "cpu"
    quota, period = read_text(first / "cpu.cfs_quota_us"), read_text(first / "cpu.cfs_period_us")
    return read_text(cgroup / "cpu.max") or (f"{quota} {period}" if quota and period else None)


def _container(root: Path) -> str | None:
    """By the marks that the programs leave behind; None where there is no mark, which proves nothing."""
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    return read_text(root / "run/systemd/container")


def _virtual_machine(root: Path) -> bool | None:
    """Whether the processor says that it is a guest's; ARM's does not say."""
    flags = cpuinfo_value(root / "proc/cpuinfo", "flags")
    return None if flags is None else "hypervisor" in flags.split()

"""How the host's processors are set up, from Linux's files; None where one cannot be read. Loads no torch."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msanet_bench.measure.kernel_files import cpuinfo_value, cpuinfo_values, read_number, read_text

_CPUS = "sys/devices/system/cpu"
_MEGAHERTZ = 1e-3


def processor_info(root: Path = Path("/")) -> dict[str, Any]:
    """What decides how fast a processor is and whether it stays so, as plain values in a fixed order."""
    cpus = root / _CPUS
    highest_khz = read_number(cpus / "cpu0/cpufreq/cpuinfo_max_freq")
    return {
        "physical_cores": _physical_cores(root / "proc/cpuinfo"),
        "affinity": number_ranges(os.sched_getaffinity(0)),
        "isolated": read_text(cpus / "isolated"),
        "smt": _switch(read_text(cpus / "smt/active")),
        "governors": _different(cpus.glob("cpu[0-9]*/cpufreq/scaling_governor")),
        "frequency_driver": read_text(cpus / "cpu0/cpufreq/scaling_driver"),
        "max_mhz": None if highest_khz is None else highest_khz * _MEGAHERTZ,
        "boost": _boost(cpus),
        "microcode": cpuinfo_value(root / "proc/cpuinfo", "microcode"),
        "caches": _caches(cpus / "cpu0/cache"),
    }


def number_ranges(numbers: Iterable[int]) -> str:
    """Numbers as Linux lists processors: 0-3,8."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    return ",".join("-".join(map(str, ends)) for ends in ranges)


def _physical_cores(cpuinfo: Path) -> int | None:
    """Pairs of socket and core, which threads of one core share; None where the processor tells only one."""
    sockets, cores = cpuinfo_values(cpuinfo, "physical id"), cpuinfo_values(cpuinfo, "core id")
    return len(set(zip(sockets, cores, strict=False))) or None


def _switch(text: str | None) -> bool | None:
    return None if text is None else text == "1"


def _different(files: Iterable[Path]) -> list[str] | None:
    return sorted({text for text in map(read_text, files) if text is not None}) or None


def _boost(cpus: Path) -> bool | None:
    """Whether the clock may rise above its nominal value; Intel's driver asks the question the other way."""
    no_turbo = _switch(read_text(cpus / "intel_pstate/no_turbo"))
    return _switch(read_text(cpus / "cpufreq/boost")) if no_turbo is None else not no_turbo


def _caches(folder: Path) -> dict[str, str] | None:
    """Sizes of the first processor's caches: {"L1 Data": "32K", "L2 Unified": "2048K"}."""
    indices = sorted(folder.glob("index[0-9]*"))
    names = [f"L{read_text(index / 'level')} {read_text(index / 'type')}" for index in indices]
    sizes = [read_text(index / "size") for index in indices]
    return {name: size for name, size in zip(names, sizes, strict=True) if size is not None} or None

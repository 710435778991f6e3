import os
from pathlib import Path

import pytest

from msanet_bench.measure.processor_info import number_ranges, processor_info

CPUS = "sys/devices/system/cpu"
# two sockets of one core with two threads each
CPUINFO = "".join(
    f"processor\t: {number}\nphysical id\t: {socket}\ncore id\t\t: 0\nmicrocode\t: 0xb4\n\n"
    for number, socket in enumerate([0, 0, 1, 1])
)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="ascii")
    return root


def test_a_processor_is_told_as_linux_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 8})
    root = write(
        tmp_path,
        {
            "proc/cpuinfo": CPUINFO,
            f"{CPUS}/isolated": "2-3",
            f"{CPUS}/smt/active": "1",
            f"{CPUS}/cpu0/cpufreq/scaling_governor": "powersave",
            f"{CPUS}/cpu1/cpufreq/scaling_governor": "performance",
            f"{CPUS}/cpu2/cpufreq/scaling_governor": "performance",
            f"{CPUS}/cpu0/cpufreq/scaling_driver": "intel_pstate",
            f"{CPUS}/cpu0/cpufreq/cpuinfo_max_freq": "3700000",
            f"{CPUS}/intel_pstate/no_turbo": "1",
            f"{CPUS}/cpu0/cache/index0/level": "1",
            f"{CPUS}/cpu0/cache/index0/type": "Data",
            f"{CPUS}/cpu0/cache/index0/size": "48K",
            f"{CPUS}/cpu0/cache/index2/level": "2",
            f"{CPUS}/cpu0/cache/index2/type": "Unified",
            f"{CPUS}/cpu0/cache/index2/size": "2048K",
        },
    )
    assert list(processor_info(root).items()) == [
        ("physical_cores", 2),
        ("affinity", "0-2,8"),
        ("isolated", "2-3"),
        ("smt", True),
        ("governors", ["performance", "powersave"]),
        ("frequency_driver", "intel_pstate"),
        ("max_mhz", 3700.0),
        ("boost", False),
        ("microcode", "0xb4"),
        ("caches", {"L1 Data": "48K", "L2 Unified": "2048K"}),
    ]


def test_what_linux_does_not_tell_is_none_and_never_a_zero(tmp_path: Path) -> None:
    told = processor_info(tmp_path)
    assert told.pop("affinity") == number_ranges(os.sched_getaffinity(0))
    assert set(told.values()) == {None}


@pytest.mark.parametrize(("text", "boost"), [("1", True), ("0", False)])
def test_the_boost_of_other_drivers_is_asked_the_other_way_round(
    tmp_path: Path, text: str, *, boost: bool
) -> None:
    assert processor_info(write(tmp_path, {f"{CPUS}/cpufreq/boost": text}))["boost"] is boost


def test_a_clock_that_the_kernel_does_not_know_is_none(tmp_path: Path) -> None:
    root = write(tmp_path, {f"{CPUS}/cpu0/cpufreq/cpuinfo_max_freq": "<unknown>"})
    assert processor_info(root)["max_mhz"] is None


def test_cores_without_sockets_are_not_counted(tmp_path: Path) -> None:
    assert processor_info(write(tmp_path, {"proc/cpuinfo": "core id : 3"}))["physical_cores"] is None


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([4], "4"), ([3, 0, 1, 2], "0-3"), ([0, 2, 3, 7, 8, 9], "0,2-3,7-9")]
)
def test_processors_are_listed_as_ranges(numbers: list[int], text: str) -> None:
    assert number_ranges(numbers) == text

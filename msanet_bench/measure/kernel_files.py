"""The small files under /proc and /sys in which Linux tells about itself. Loads no torch."""

from pathlib import Path


def read_text(path: Path) -> str | None:
    """The text of a small file of the kernel; None where it is not there or not for us."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def read_number(path: Path) -> int | None:
    """The number in such a file; None also where the kernel writes `<unknown>`."""
    text = read_text(path)
    return int(text) if text is not None and text.isdecimal() else None


def cpuinfo_value(cpuinfo: Path, name: str) -> str | None:
    """The first value of a name in /proc/cpuinfo."""
    return next(iter(cpuinfo_values(cpuinfo, name)), None)


def cpuinfo_values(cpuinfo: Path, name: str) -> list[str]:
    """Every value of a name in /proc/cpuinfo, one a processor."""
    lines = (read_text(cpuinfo) or "").splitlines()
    pairs = (line.partition(":") for line in lines)
    return [value.strip() for key, _, value in pairs if key.strip() == name]

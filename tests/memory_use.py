"""What a process holds of memory, as Linux counts it."""

from pathlib import Path


def anonymous() -> int:
    """Bytes that are this process's alone: no pages of files, which the system may drop and read again."""
    return _of("RssAnon")


def resident() -> int:
    """Bytes with those of files that are mapped, too: what `--memory-limit` goes by."""
    return _of("VmRSS")


def _of(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    # RssAnon:     8792 kB, where kB are 1024 bytes
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

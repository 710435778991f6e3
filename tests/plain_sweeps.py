"""Sweeps by the plain command, in a process of their own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from commands import Outcome


def plain_sweep(
    folder: Path, *options: str, results: Path | None = None, before: Callable[[], None] | None = None
) -> Outcome:
    """How the sweep of `tiny.yaml` in a folder ends; `before` is called in its process before it starts."""
    where = () if results is None else ("--results", str(results))
    command = [
        sys.executable,
        "-m",
        "msanet_bench",
        "sweep",
        "tiny.yaml",
        *_workers(options),
        *where,
        *options,
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300, preexec_fn=before
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def _workers(options: tuple[str, ...]) -> tuple[str, ...]:
    return () if "--workers" in options else ("--workers", "2")

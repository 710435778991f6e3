"""Says beforehand what a verb writes below the data folder."""

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    # pydantic, which this loads, costs the other verbs a tenth of a second
    from msanet_bench.spec import Experiment


def announce_cache(experiment: "Experiment", data_root: Path, *, stream: TextIO | None = None) -> None:
    """One line when images are about to be decoded into a cache, with its size; else nothing.

    It goes to standard output, or to the `stream`.
    """
    from msanet_bench.checks import cache_bytes_needed

    announce_bytes(cache_bytes_needed(experiment, data_root), data_root, stream=stream)


def announce_bytes(needed: int, data_root: Path, *, stream: TextIO | None = None) -> None:
    """The same for a cache of so many bytes."""
    if needed:
        size = f"{needed / 2**20:.1f} MiB" if needed < 2**30 else f"{needed / 2**30:.1f} GiB"
        print(f"decoding images into a cache below {data_root}: {size}, once", flush=True, file=stream)

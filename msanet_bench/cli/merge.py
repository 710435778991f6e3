"""`msanet-bench merge RESULTS... --out DIR`."""

from pathlib import Path
from typing import Annotated

import typer


def merge(
    folders: Annotated[
        list[Path], typer.Argument(help="Results folders of shards or of machines.", metavar="RESULTS...")
    ],
    *,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder of the merged results.", metavar="DIR", show_default=False),
    ],
) -> None:
    """Bring results folders of one experiment together.

    Every attempt of every folder is kept; records and tables are those that one sweep would have left. A
    cell that is in several folders must have the same numbers in all; a good one beats a failed one.
    Latencies are those of the first folder that has some, and are never averaged. The folders are not
    written to. `msanet-bench sweep EXPERIMENT --results DIR` goes on with the merged folder: it trains what
    is missing, and measures latencies if no folder had any. Searches and experiments with `tune` are refused.

    Exit code 0: merged; 2: the folders do not belong together, or the output cannot be written.
    """
    from msanet_bench.merge import merge as merge_folders

    merged = merge_folders(folders, out)
    for note in merged.notes:
        print(f"note: {note}")
    others = (f", {number} {status}" for status, number in sorted(merged.statuses.items()) if status != "ok")
    print(f"{merged.statuses.total()} planned cells: {merged.statuses['ok']} ok{''.join(others)}")
    print(f"Results: {out}")

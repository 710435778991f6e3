"""`msanet-bench status RESULTS`."""

import json
import time
from typing import Annotated

import typer

from msanet_bench.cli.arguments import ResultsFolder


def status(
    results: ResultsFolder,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Draw it anew every second, until the sweep is done or Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")] = False,
) -> None:
    """Show what became of every planned cell.

    A row a variant: how many of its cells are ok, failed, oom, diverged, pruned or missing. With --watch also
    what runs now, how fast cells end, and how long the rest will take; in a pipe, one line a change.
    """
    from msanet_bench.console.watch import show_status, watch_status
    from msanet_bench.status import read_status

    if watch and as_json:
        raise typer.BadParameter("--watch and --json exclude each other.")
    if watch:
        watch_status(results)
    elif as_json:
        print(json.dumps(read_status(results, time.time()).to_json(), indent=1, ensure_ascii=False))
    else:
        show_status(read_status(results, time.time()))

"""`msanet-bench dashboard RESULTS`."""

import contextlib
import os
from typing import Annotated

import typer

from msanet_bench.cli.arguments import ResultsFolder, Storage


def dashboard(
    results: ResultsFolder,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens; 0: any port.")] = 8080,
    storage: Storage = None,
) -> None:
    """Show the study of a sweep in a browser, while it runs or later.

    optuna-dashboard (pip install 'msanet-bench[dashboard]') on 127.0.0.1 alone, to look at only. Ctrl-C ends
    it. Exit code 0: ended; 2: there is no study, or the port is taken.
    """
    from msanet_bench.dashboard import HOST, open_dashboard, serve
    from msanet_bench.search import chosen_storage

    server = open_dashboard(results, chosen_storage(storage, os.environ), port)
    with contextlib.suppress(KeyboardInterrupt):  # from the moment at which it is told how to end it
        print(f"http://{HOST}:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        serve(server)

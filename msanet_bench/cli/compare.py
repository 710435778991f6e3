"""`msanet-bench compare BASE HEAD`."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

NOT_COMPARABLE = 3


def compare(
    base: Annotated[Path, typer.Argument(help="Results folder to compare with.", metavar="BASE")],
    head: Annotated[Path, typer.Argument(help="Results folder that is compared.", metavar="HEAD")],
) -> None:
    """Compare two results in pairs of the same variant and seed.

    Exit code 0: compared; 2: a folder cannot be read; 3: nothing to compare.
    """
    from msanet_bench.compare import compare as compare_results
    from msanet_bench.compare import render_text

    comparison = compare_results(base, head)
    print(render_text(comparison, width=shutil.get_terminal_size((100, 24)).columns))
    if not comparison.is_comparable:
        raise typer.Exit(NOT_COMPARABLE)

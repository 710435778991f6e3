"""`msanet-bench report RESULTS`."""

from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import OtherReports, ResultsFolder

REPORT_DIFFERS = 1


def report(
    results: ResultsFolder,
    *,
    out: OtherReports = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if the report there differs.")
    ] = False,
    html: Annotated[
        bool, typer.Option("--html", help="Also the report as one page; one that is there is always renewed.")
    ] = False,
) -> None:
    """Write the report of a results folder again, byte for byte.

    Exit code 0: written, or up to date; 1: --check found a difference; 2: the folder cannot be read.
    """
    from msanet_bench.report import differing_files, write_report

    folder = out or Path("reports") / results.resolve().name
    if not check:
        written = write_report(results, folder, html=html)
        print(*(path for path in written if path.suffix in {".md", ".html"}), sep="\n")
        return
    differing = differing_files(results, folder, html=html)
    for path in differing:
        print(f"{path}: differs from what {results} gives.")
    if differing:
        raise typer.Exit(REPORT_DIFFERS)
    print(f"{folder}: up to date.")

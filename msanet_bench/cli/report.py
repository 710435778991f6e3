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
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Write each figure as PDF, too; --check does not look at these.")
    ] = False,
) -> None:
    """Write the report of a results folder again, byte for byte.

    Exit code 0: written, or up to date; 1: --check found a difference; 2: the folder cannot be read.
    """
    from msanet_bench.report import differing_files, write_report

    if check and pdf:
        raise typer.BadParameter("--check writes nothing: say --pdf without it.")
    folder = out or Path("reports") / results.resolve().name
    if not check:
        print(write_report(results, folder, pdf=pdf)[0])
        return
    differing = differing_files(results, folder)
    for path in differing:
        print(f"{path}: differs from what {results} gives.")
    if differing:
        raise typer.Exit(REPORT_DIFFERS)
    print(f"{folder}: up to date.")

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
    inject: Annotated[
        Path | None,
        typer.Option(help="Also fill the part between two markers of a Markdown page.", metavar="PAGE"),
    ] = None,
) -> None:
    """Write the report of a results folder again, byte for byte.

    The markers are `<!-- msanet-bench:begin -->` and `<!-- msanet-bench:end -->`, each alone on its line.
    Where a page shows several results, both carry the name of the results folder: `begin NAME`.

    Exit code 0: written, or up to date; 1: --check found a difference; 2: the folder or the page cannot be
    read.
    """
    from msanet_bench.report import build_report, differing_files, write_report
    from msanet_bench.report.inject import excerpt, filled_page, link_to, write_page

    name = results.resolve().name
    folder = out or Path("reports") / name
    pages = {}
    if inject is not None:
        # before anything is written: a page without its markers changes nothing
        pages[inject] = filled_page(inject, name, excerpt(build_report(results), link_to(folder, inject)))
    if not check:
        print(write_report(results, folder)[0])
        for page, text in pages.items():
            write_page(page, text)
            print(page)
        return
    differing = differing_files(results, folder)
    differing += [page for page, text in pages.items() if page.read_bytes() != text.encode()]
    for path in differing:
        print(f"{path}: differs from what {results} gives.")
    if differing:
        raise typer.Exit(REPORT_DIFFERS)
    print(f"{folder}: up to date.")

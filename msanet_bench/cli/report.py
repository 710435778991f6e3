"""`msanet-bench report RESULTS`."""

from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import External, OtherReports, ResultsFolder

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
    html: Annotated[
        bool, typer.Option("--html", help="Also the report as one page; one that is there is always renewed.")
    ] = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Each figure as PDF too; --check does not look at these.")
    ] = False,
    external: External = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Conclude from results of different environments all the same.")
    ] = False,
) -> None:
    """Write the report of a results folder again, byte for byte.

    The markers are `<!-- msanet-bench:begin -->` and `<!-- msanet-bench:end -->`, each alone on its line.
    Where a page shows several results, both carry the name of the results folder: `begin NAME`.

    Exit code 0: written, or up to date; 1: --check found a difference; 2: the folder or the page cannot be
    read.
    """
    from msanet_bench.report import build_report, differing_files, write_report
    from msanet_bench.report.external import read_references
    from msanet_bench.report.inject import excerpt, filled_page, link_to, write_page

    if check and pdf:
        raise typer.BadParameter("--check writes nothing: say --pdf without it.")
    name = results.resolve().name
    folder = out or Path("reports") / name
    references = read_references(external) if external else ()
    built = build_report(results, allow_mixed=mixed, references=references)
    pages = {}
    if inject is not None:
        # before anything is written: a page without its markers changes nothing
        pages[inject] = filled_page(inject, name, excerpt(built, link_to(folder, inject)))
    if not check:
        written = write_report(built, folder, html=html, pdf=pdf)
        for page, text in pages.items():
            write_page(page, text)
        print(*(path for path in written if path.suffix in {".md", ".html"}), *pages, sep="\n")
        return
    differing = differing_files(built, folder, html=html)
    differing += [page for page, text in pages.items() if page.read_bytes() != text.encode()]
    for path in differing:
        print(f"{path}: differs from what {results} gives.")
    if differing:
        raise typer.Exit(REPORT_DIFFERS)
    print(f"{folder}: up to date.")

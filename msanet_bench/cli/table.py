"""`msanet-bench table RESULTS`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import External, ResultsFolder


class Format(StrEnum):
    """How the table is written."""

    markdown = "markdown"
    latex = "latex"
    csv = "csv"


def table(
    results: ResultsFolder,
    *,
    rows: Annotated[
        list[str] | None,
        typer.Option(
            help="A variant, by name, short name or pattern (attention=*); repeat it [default: all].",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Of the columns below, with commas or repeated "
            "[default: components,accuracy,n,params,macs,latency].",
            metavar="NAMES",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="Call a row or a column otherwise; repeat it.", metavar="NAME=TEXT"),
    ] = None,
    decimals: Annotated[
        list[str] | None, typer.Option(help="Of a column of numbers; repeat it.", metavar="COLUMN=N")
    ] = None,
    external: External = None,
    format_: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.markdown,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Also of results of several environments; a note says so.")
    ] = False,
    caption: Annotated[str, typer.Option(help="Stands above the table.", metavar="TEXT")] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Write it to this file [default: print it].", metavar="FILE", show_default=False),
    ] = None,
) -> None:
    """Make the table for a paper from a results folder.

    Columns: components (one for each, with a check mark where it is on), a single component by its path,
    accuracy (mean and sd), mean, sd, interval, n, difference (to the baseline), params, macs, latency (one
    for each kind of device), latency_cpu, latency_cuda, latency_elsewhere. Mean, sd and n are of the seeds
    that succeeded: 2/3 says that one did not, and nothing is filled in.

    Rows from elsewhere have a name (or timm's model) and any of accuracy or top1, both in percent; params, or
    param_count in millions; macs, or gmacs and infer_gmacs in 1e9; latency_ms or latency_s. Name some of them
    under --rows to have those alone.

    LaTeX needs amssymb, booktabs and graphicx. Of CSV, the notes go to the terminal. Exit code 0: made; 2: an
    option names what is not there, or a file is not in order.
    """
    from msanet_bench.records import replace_text
    from msanet_bench.report.paper.build import paper_table
    from msanet_bench.report.paper.choices import DEFAULT_COLUMNS, Request
    from msanet_bench.report.paper.latex import latex
    from msanet_bench.report.paper.plain import comma_separated, markdown

    if caption and format_ is Format.csv:
        raise typer.BadParameter("a CSV file has no caption.", param_hint="--caption")
    request = Request(
        rows=rows or (),
        columns=columns or DEFAULT_COLUMNS,
        labels=label or (),
        decimals=decimals or (),
        external=external,
        caption=caption,
        allow_mixed=mixed,
    )
    made = paper_table(results, request)
    writers = {Format.markdown: markdown, Format.latex: latex, Format.csv: comma_separated}
    text = writers[format_](made)
    if out is None:
        print(text, end="")
    else:
        replace_text(out, text)
        print(out)
    for note in made.notes if format_ is Format.csv else ():
        print(f"note: {note}", file=sys.stderr)

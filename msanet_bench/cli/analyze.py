"""`msanet-bench analyze TABLE.csv`."""

import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

# In a pipe a row of a table is one line, however long, so that grep finds whole names.
_PIPE_WIDTH = 10_000


def analyze(
    table: Annotated[
        Path, typer.Argument(help="A table of results, one run a row, as CSV.", metavar="TABLE.csv")
    ],
    *,
    response: Annotated[
        str, typer.Option(help="The column that was measured.", metavar="COLUMN")
    ] = "accuracy",
    factors: Annotated[
        list[str] | None,
        typer.Option(
            help="The columns that were varied, separated by commas [default: those with few levels].",
            metavar="COLUMNS",
            show_default=False,
        ),
    ] = None,
    block: Annotated[
        str | None,
        typer.Option(help="The column whose rows belong together, such as the seed.", metavar="COLUMN"),
    ] = None,
    delta: Annotated[
        float | None,
        typer.Option(help="The smallest difference that matters, in the response's own unit; for verdicts."),
    ] = None,
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="A smaller response is the better one.")
    ] = False,
    order: Annotated[
        int, typer.Option(min=1, max=4, help="Up to how many factors interact; of three and more for a look.")
    ] = 2,
    alpha: Annotated[
        float, typer.Option(help="The chance of a false claim in a family; intervals are at 1 - alpha.")
    ] = 0.05,
    output: Annotated[
        Literal["text", "markdown", "json"], typer.Option("--format", help="How to print it.")
    ] = "text",
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Say what anybody's table of results says of its factors.

    Main effects, interactions, trends of numbers, and of whole two-level factorials who earned what, with
    intervals; with --delta verdicts, and how many repetitions are missing. Rows of the same levels are
    replicates, or one a block with --block. A row without a response is a failed run. The table is read only.
    Exit code 0: printed; 2: the table or an option is not in order.
    """
    from msanet_bench.analyze import Question
    from msanet_bench.analyze import analyze as analyze_table
    from msanet_bench.analyze.as_json import render_json
    from msanet_bench.analyze.markdown import render_markdown
    from msanet_bench.analyze.text import render_text

    columns = [column.strip() for one in factors or () for column in one.split(",")]
    question = Question(
        response=response,
        factors=tuple(columns) or None,
        block=block,
        delta=delta,
        lower_is_better=lower_is_better,
        order=order,
        alpha=alpha,
    )
    analysis = analyze_table(table, question)
    if json or output == "json":
        print(render_json(analysis), end="")
    elif output == "markdown":
        print(render_markdown(analysis), end="")
    else:
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else _PIPE_WIDTH
        print(render_text(analysis, width), end="")

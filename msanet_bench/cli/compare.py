"""`msanet-bench compare BASE HEAD [MORE...]`."""

import shutil
from typing import Annotated, Literal

import typer


def compare(
    base: Annotated[
        str, typer.Argument(help="Results folder to compare with, or LABEL=FOLDER.", metavar="BASE")
    ],
    heads: Annotated[
        list[str], typer.Argument(help="One or more that are compared with it.", metavar="HEAD")
    ],
    *,
    gate: Annotated[
        list[str] | None,
        typer.Option(
            help="accuracy:-0.2pp, latency_p50:+5%, params:0, macs:+2%; may be repeated.", metavar="LIMIT"
        ),
    ] = None,
    gate_mode: Annotated[
        Literal["regression", "noninferiority"],
        typer.Option(
            help="regression: fail on evidence of a loss; noninferiority: unless there is some against it.",
            metavar="MODE",
        ),
    ] = "regression",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if a gate can tell neither.")] = False,
    delta: Annotated[
        str | None,
        typer.Option(
            help="The smallest difference that matters, such as '0.3 pp' [default: BASE's].", metavar="POINTS"
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compare latencies of different machines too.")
    ] = False,
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["text", "markdown", "csv", "json"],
        typer.Option(help="text, markdown, csv or json.", metavar="FORMAT"),
    ] = "text",
) -> None:
    """Compare results in pairs of the same variant and seed.

    Accuracies by difference with its interval, costs by ratio. A gate fails when all of a row's interval lies
    beyond the limit; those of accuracies are so wide that all rows hold at once. With noninferiority it fails
    unless the interval of every row excludes a loss beyond the limit.

    Exit code 0: compared, no gate fails; 1: a gate fails; 2: a folder or an option is not in order; 3: not
    comparable, or with --strict a gate can tell neither. Where several apply: 2 before 1 before 3.
    """
    from msanet_bench.compare import compare as compare_results
    from msanet_bench.compare import exit_code, parse_delta, parse_gate, parse_sides, render, rule

    gates = [parse_gate(text) for text in gate or []]
    comparison = compare_results(parse_sides([base, *heads]), delta=parse_delta(delta), force=force)
    rulings = rule(comparison, gates, gate_mode)
    width = shutil.get_terminal_size((100, 24)).columns
    print(
        render(comparison, rulings, kind=format, mode=gate_mode, strict=strict, width=width),
        end="",
    )
    code = exit_code(comparison, rulings, strict=strict)
    if code:
        raise typer.Exit(code)

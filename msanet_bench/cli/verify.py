"""`msanet-bench verify CLAIMS`, and the JSON Schema of claims files: `--schema`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

CONTRADICTED = 1


def verify(
    claims: Annotated[Path, typer.Argument(help="The claims, a YAML file.", metavar="CLAIMS")] = Path(
        "experiments/claims.yaml"
    ),
    *,
    inject: Annotated[
        Path | None,
        typer.Option(help="Also fill the part between two markers of a Markdown page.", metavar="PAGE"),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="With --inject: write nothing; exit with 1 if the page differs.")
    ] = False,
    output: Annotated[
        Literal["text", "markdown", "json"], typer.Option("--format", help="How to print it.")
    ] = "text",
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of claims files, for editors.")
    ] = False,
) -> None:
    """Recompute claims: each is confirmed, refuted or undecided.

    Statistics are computed anew, from raw rows and live networks, apart from those of the report. A number
    with an interval decides only if all of the interval does. The markers are those of `report --inject`,
    with the name of the claims file: `begin claims`.

    Exit code 0: no verdict is contrary to what is declared; 1: a claim that is declared to hold is refuted,
    one declared as refuted is confirmed, or --check found a difference; 2: the claims, the results or the
    page are not in order.
    """
    import json as json_format

    from msanet_bench.claims import load_claims
    from msanet_bench.claims import verify as rulings_of
    from msanet_bench.claims.markdown import claims_table
    from msanet_bench.claims.schema import claims_schema
    from msanet_bench.claims.words import as_json, summary_words, text_lines

    if schema:
        print(json_format.dumps(claims_schema(), indent=2))
        return
    if check and inject is None:
        raise typer.BadParameter("--check compares a page: name it by --inject.")
    rulings = list(rulings_of(load_claims(claims)))
    table = claims_table(rulings, f"msanet-bench verify {claims}")
    differs = inject is not None and _injected(inject, claims.stem, table, check=check)
    if json or output == "json":
        print(json_format.dumps({"claims": [as_json(ruling) for ruling in rulings]}, indent=2))
    elif output == "markdown":
        print(table)
    else:
        print(*text_lines(rulings), summary_words(rulings), sep="\n")
    if differs or any(ruling.contradicts for ruling in rulings):
        raise typer.Exit(CONTRADICTED)


def _injected(page: Path, name: str, table: str, *, check: bool) -> bool:
    """Fill the page, or say whether it differs; its other text stays."""
    from msanet_bench.report.inject import filled_page, write_page

    text = filled_page(page, name, table)
    if not check:
        write_page(page, text)
        return False
    differs = page.read_bytes() != text.encode()
    if differs:
        print(f"{page}: differs from what the claims give.", file=sys.stderr)
    return differs

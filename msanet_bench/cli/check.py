"""`msanet-bench check EXPERIMENT` and `msanet-bench check --schema`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import DataRoot
from msanet_bench.cli.cache import announce_cache


def check(
    experiment: Annotated[
        Path | None, typer.Argument(help="The experiment, a YAML file.", metavar="EXPERIMENT")
    ] = None,
    *,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of experiment files, for editors.")
    ] = False,
    data_root: DataRoot = Path("data"),
) -> None:
    """Name every error of an experiment file at once.

    Every variant is built, but nothing is trained and nothing is written. Exit code 0: in order; 2: not.
    """
    from msanet_bench.checks import catalog, check_plan, load_experiment
    from msanet_bench.schema import experiment_schema

    if schema:
        print(json.dumps(experiment_schema(catalog()), indent=2))
        return
    if experiment is None:
        raise typer.BadParameter("name an experiment file, or say --schema.")
    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root)
    checked = check_plan(loaded, data_root)
    for note in checked.notes:
        print(f"note: {note}")
    variants, seeds = len(checked.variants), len(loaded.seeds)
    print(f"{experiment}: in order. {variants} variants x {seeds} seeds = {variants * seeds} cells.")

"""`msanet-bench check EXPERIMENT`, and the JSON Schemas: `--schema`, `--record-schema`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import EXPERIMENT_HELP, DataRoot, found_experiment
from msanet_bench.cli.cache import announce_cache


def check(
    experiment: Annotated[
        Path | None,
        typer.Argument(help=EXPERIMENT_HELP, metavar="EXPERIMENT", callback=found_experiment),
    ] = None,
    *,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of experiment files, for editors.")
    ] = False,
    record_schema: Annotated[
        bool, typer.Option("--record-schema", help="Print the JSON Schema of a line of records.jsonl.")
    ] = False,
    data_root: DataRoot = Path("data"),
) -> None:
    """Name every error of an experiment file at once.

    Every variant is built, but nothing is trained and nothing is written. Exit code 0: in order; 2: not.
    """
    from msanet_bench import schema as schemas
    from msanet_bench.checks import catalog, check_plan, load_experiment
    from msanet_bench.sweep.tuning import tuning_of, tuning_words

    if schema or record_schema:
        asked = schemas.record_schema() if record_schema else schemas.experiment_schema(catalog())
        print(json.dumps(asked, indent=2))
        return
    if experiment is None:
        raise typer.BadParameter("name an experiment file, or say --schema.")
    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root)
    checked = check_plan(loaded, data_root)
    for note in checked.notes:
        print(f"note: {note}")
    seeds = len(loaded.seeds)
    if loaded.search is not None:
        trials = loaded.search.trials
        print(
            f"{experiment}: in order. A search by {loaded.design} for {', '.join(loaded.search.objectives)}: "
            f"the baseline and at most {trials} trials x {seeds} seeds = {(1 + trials) * seeds} cells."
        )
        return
    variants = len(checked.variants)
    print(f"{experiment}: in order. {variants} variants x {seeds} seeds = {variants * seeds} cells.")
    tuning = tuning_of(loaded, checked)
    if tuning is not None:
        print(tuning_words(tuning, variants * seeds))

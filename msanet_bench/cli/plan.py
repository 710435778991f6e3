"""`msanet-bench plan EXPERIMENT`."""

from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import DataRoot, ExperimentFile


def plan(
    experiment: ExperimentFile,
    *,
    results: Annotated[
        Path | None, typer.Option(help="Folder of the results [default: results/NAME].", show_default=False)
    ] = None,
    data_root: DataRoot = Path("data"),
) -> None:
    """List the variants of an experiment and which cells are done, missing or merged. Trains nothing."""
    from msanet_bench.checks import catalog, check_plan, load_experiment
    from msanet_bench.console import show_plan
    from msanet_bench.journal import Journal, final_records
    from msanet_bench.plan import plan_cells

    loaded = load_experiment(experiment)
    checked = check_plan(loaded, data_root)
    cells = plan_cells(checked.variants, loaded.seeds, catalog(), checked.data_digest)
    journal = Journal((results or Path("results") / loaded.name) / "journal.jsonl")
    records = final_records(journal.read())
    show_plan(checked.variants, checked.notes, [(cell.variant.name, records.get(cell.key)) for cell in cells])

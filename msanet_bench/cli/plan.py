"""`msanet-bench plan EXPERIMENT`."""

from pathlib import Path

from msanet_bench.cli.arguments import DataRoot, ExperimentFile, OtherResults
from msanet_bench.cli.cache import announce_cache


def plan(
    experiment: ExperimentFile,
    *,
    results: OtherResults = None,
    data_root: DataRoot = Path("data"),
) -> None:
    """List the variants, and how many cells of each are missing.

    Variants that are the same network are merged, and the notes say so. Nothing is trained.
    """
    from msanet_bench.checks import catalog, check_plan, load_experiment
    from msanet_bench.console import show_plan
    from msanet_bench.journal import Journal, final_records
    from msanet_bench.plan import plan_cells

    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root)
    checked = check_plan(loaded, data_root)
    cells = plan_cells(checked.variants, loaded.seeds, catalog(), checked.data_digest)
    journal = Journal((results or Path("results") / loaded.name) / "journal.jsonl")
    records = final_records(journal.read())
    show_plan(checked.variants, checked.notes, [(cell.variant.name, records.get(cell.key)) for cell in cells])

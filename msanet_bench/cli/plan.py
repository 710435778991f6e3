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

    Variants that are the same network are merged, and the notes say so. Of a search, they are those that it
    has asked for so far. Nothing is trained.
    """
    from msanet_bench.checks import catalog, check_plan, load_experiment
    from msanet_bench.console import show_plan
    from msanet_bench.journal import Journal, final_records
    from msanet_bench.plan import plan_cells
    from msanet_bench.search import TrialFile, variants_of

    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root)
    checked = check_plan(loaded, data_root)
    folder = results or Path("results") / loaded.name
    variants, notes = checked.variants, checked.notes
    if loaded.search is not None:
        variants = tuple(variants_of(loaded, catalog(), TrialFile(folder).read())) or variants
        left = 1 + loaded.search.trials - len(variants)
        notes = (*notes, f"a search by {loaded.design} asks for the rest: at most {left} more variants.")
    cells = plan_cells(variants, loaded.seeds, catalog(), checked.data_digest)
    records = final_records(Journal(folder / "journal.jsonl").read())
    show_plan(variants, notes, [(cell.variant.name, records.get(cell.key)) for cell in cells])

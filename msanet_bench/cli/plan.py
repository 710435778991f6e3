"""`msanet-bench plan EXPERIMENT`."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from msanet_bench.cli.arguments import DataRoot, Devices, ExperimentFile, OtherResults, Workers
from msanet_bench.cli.cache import announce_cache

if TYPE_CHECKING:
    from msanet_bench.records import Record
    from msanet_bench.spec import Experiment
    from msanet_bench.sweep.planned import Planned


def plan(
    experiment: ExperimentFile,
    *,
    workers: Workers = None,
    devices: Devices = "auto",
    results: OtherResults = None,
    data_root: DataRoot = Path("data"),
    no_duration: Annotated[
        bool, typer.Option("--no-duration", help="Do not time any steps to say how long it will take.")
    ] = False,
) -> None:
    """List variants and missing cells, and how long those will take.

    Variants that are the same network are merged, and the notes say so. Nothing is trained, apart from a few
    steps of each variant that no finished cell speaks for, in as many processes as a sweep would use. Of a
    search, the variants are those that it has asked for so far, and no duration is said.
    """
    began = time.perf_counter()
    from msanet_bench.amendments import read_history
    from msanet_bench.checks import check_plan, load_experiment
    from msanet_bench.console import show_plan
    from msanet_bench.console.prediction import show_prediction
    from msanet_bench.duration.predict import is_timed, predict_duration
    from msanet_bench.duration.workers import Wanted
    from msanet_bench.journal import Journal, final_attempts
    from msanet_bench.sweep.auto import as_chosen
    from msanet_bench.sweep.devices import parse_devices, visible_devices
    from msanet_bench.sweep.planned import plan_all

    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root)
    used = parse_devices(devices, visible_devices())
    checked = check_plan(loaded, data_root)
    folder = results or Path("results") / loaded.name
    done = final_attempts(Journal(folder / "journal.jsonl").read())
    known = {key: attempt.record for key, attempt in done.items()}
    history = read_history(folder)
    loaded, checked = as_chosen(loaded, checked, history)
    planned = plan_all(loaded, checked, history.added_seeds, folder, known)
    cells = planned.cells
    variants = list({cell.variant.name: cell.variant for cell in cells}.values())
    records = [(cell.variant.name, known.get(cell.key)) for cell in cells]
    show_plan(variants, (*checked.notes, *_notes(loaded, planned, known)), records)
    missing = [cell for cell in planned.at_most(known) if cell.key not in done]
    if not missing or no_duration or loaded.search is not None:
        return
    wanted = Wanted(
        experiment=loaded,
        plan=checked,
        missing=missing,
        finished=[done[cell.key] for cell in planned.all_cells if cell.key in done],
        device=used.kind,
        slots=used.slots(workers)[: len(missing)],
        data_root=data_root,
        plugin_folder=experiment.parent,
        is_measured=is_timed(loaded, checked, folder, experiment.parent),
        planning_seconds=time.perf_counter() - began,
    )
    show_prediction(predict_duration(wanted))


def _notes(experiment: "Experiment", planned: "Planned", records: Mapping[str, "Record"]) -> Iterator[str]:
    """What is not known yet of the cells, and what is in the journal beside them."""
    from msanet_bench.sweep.notes import orphans_note
    from msanet_bench.sweep.tuning import tuning_words

    if experiment.search is not None:
        left = 1 + experiment.search.trials - len({cell.variant.name for cell in planned.cells})
        yield f"a search by {experiment.design} asks for the rest: at most {left} more variants."
    if planned.tuning is not None:
        tried = sum(tried.cell.key in records for tried in planned.tried)
        yield f"{tuning_words(planned.tuning, len(planned.cells))} {tried} of those that tune are done."
    yield from orphans_note(records, planned.all_cells)

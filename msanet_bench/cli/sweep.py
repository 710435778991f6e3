"""`msanet-bench sweep EXPERIMENT`."""

import contextlib
import os
import sys
from datetime import datetime
from pathlib import Path

import typer

from msanet_bench.cli.arguments import (
    AcceptCode,
    AddSeeds,
    DataRoot,
    Deadline,
    Devices,
    ExecutorName,
    ExperimentFile,
    MaxAttempts,
    MaxFailures,
    MemoryLimit,
    OtherReports,
    OtherResults,
    RayAddress,
    RerunChanged,
    Retry,
    Shard,
    Storage,
    TimeLimit,
    Variants,
    Workers,
)
from msanet_bench.cli.cache import announce_cache

SOME_CELLS_FAILED = 1


def sweep(
    experiment: ExperimentFile,
    *,
    workers: Workers = None,
    devices: Devices = "auto",
    executor: ExecutorName = "local",
    ray_address: RayAddress = None,
    results: OtherResults = None,
    reports: OtherReports = None,
    data_root: DataRoot = Path("data"),
    retry: Retry = "",
    max_attempts: MaxAttempts = 1,
    max_failures: MaxFailures = None,
    deadline: Deadline = None,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    shard: Shard = "",
    variants: Variants = None,
    add_seeds: AddSeeds = None,
    accept_code: AcceptCode = False,
    rerun_changed: RerunChanged = False,
    storage: Storage = None,
) -> None:
    """Run what is missing of an experiment and write its report.

    Resuming is the default: stop it at any time, by Ctrl-C or by pulling the plug, and give the same
    command again.

    With --shard, each of several machines trains its share of the seeds and times nothing; `merge` brings
    their folders together.

    Exit code 0: done; 1: some cells failed or have not begun; 2: the experiment or the data are not in order;
    130: stopped by Ctrl-C.
    """
    from msanet_bench.executors import PRELOAD, begin_preloading

    # torch is imported twice, here and there: both at a time
    begin_preloading(PRELOAD)
    from msanet_bench.checks import load_experiment
    from msanet_bench.console import show_sweep
    from msanet_bench.errors import MixedResultsError
    from msanet_bench.report import build_report, write_report
    from msanet_bench.search import chosen_storage
    from msanet_bench.shard import parse_shard
    from msanet_bench.sweep import (
        SweepOptions,
        parse_deadline,
        parse_limits,
        parse_other_code,
        parse_retry,
        run_sweep,
    )

    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root)
    part = parse_shard(shard) if shard else None
    name = loaded.name if part is None else f"{loaded.name}.{part.index}-of-{part.count}"
    folder = results or Path("results") / name
    options = SweepOptions(
        results=folder,
        data_root=data_root,
        plugin_folder=experiment.parent,
        workers=workers,
        devices=devices,
        executor=executor,
        ray_address=ray_address,
        retry=parse_retry(retry),
        max_attempts=max_attempts,
        max_failures=max_failures,
        deadline=parse_deadline(deadline, datetime.now().astimezone()) if deadline else None,
        limits=parse_limits(time_limit, memory_limit),
        shard=part,
        variants=variants,
        add_seeds=add_seeds,
        other_code=parse_other_code(accept=accept_code, rerun=rerun_changed),
        storage=chosen_storage(storage, os.environ),
    )
    try:
        with contextlib.closing(run_sweep(loaded, options)) as events:
            ended = show_sweep(loaded.name, events, folder)
    except KeyboardInterrupt:
        print("Stopped; finished cells are kept. Give the same command again to go on.", file=sys.stderr)
        raise
    print(f"Results: {folder}")
    if part is None:
        try:
            written = write_report(build_report(folder), reports or Path("reports") / loaded.name)
            print(f"Report:  {written[0]}")
        except MixedResultsError as error:
            print(f"Report:  not written. {error}")
    else:
        print(f"{part}: bring it together with the others by `msanet-bench merge`.")
    if ended.not_ok:
        where = "the report" if part is None else "`msanet-bench status`"
        print(f"{ended.not_ok} of {ended.cells} cells are not ok; {where} names them with their reasons.")
    if ended.left > ended.unchosen:
        begun_not = ended.left - ended.unchosen
        print(f"{begun_not} of {ended.cells} cells have not begun. Give the same command again to go on.")
    if ended.unchosen:
        others = f"{ended.unchosen} of {ended.cells} cells"
        print(f"{others} are of variants that --variants does not name: leave it out to train them.")
    if ended.not_ok or ended.left:
        raise typer.Exit(SOME_CELLS_FAILED)

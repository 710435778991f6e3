"""`msanet-bench latency EXPERIMENT`."""

from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import DataRoot, ExperimentFile, OtherResults, found_experiment
from msanet_bench.cli.cache import announce_cache

GATE_FAILED = 1


def latency(
    experiment: ExperimentFile,
    *,
    against: Annotated[
        Path | None,
        typer.Option(
            help="Another experiment: its variants take their turns too.",
            metavar="OTHER",
            callback=found_experiment,
        ),
    ] = None,
    against_checkout: Annotated[
        Path | None,
        typer.Option(help="Another checkout of this package, whose networks take turns.", metavar="DIR"),
    ] = None,
    gate: Annotated[
        str | None,
        typer.Option(help="Exit with 1 if a variant is slower by more than this: +5%.", metavar="LIMIT"),
    ] = None,
    results: OtherResults = None,
    data_root: DataRoot = Path("data"),
) -> None:
    """Time all variants in one interleaved session, without training.

    On the processor, and on the CUDA device if there is one. What is timed, and how often at most, is said
    under `measure` in the experiment. With --against or --against-checkout, the other's variants of the same
    name take turns in the same schedule, so that a difference is that of the networks and not of the hour.

    Exit code 0: measured; 1: the gate has failed; 2: the experiment or an option is not in order.
    """
    from msanet_bench.checks import load_experiment
    from msanet_bench.console.latency import follow_session, show_latency, show_pairs
    from msanet_bench.latency import LatencyOptions, default_results, run_latency
    from msanet_bench.session.pairs import pairs_of, parse_gate, unjudged

    if against is not None and against_checkout is not None:
        raise typer.BadParameter("--against and --against-checkout exclude each other.")
    if gate is not None and against is None and against_checkout is None:
        raise typer.BadParameter("--gate needs --against or --against-checkout.")
    limit = None if gate is None else parse_gate(gate)
    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root)
    folder = results or default_results(loaded.name, against or against_checkout)
    session = follow_session(
        run_latency(experiment, LatencyOptions(folder, data_root, against, against_checkout))
    )
    show_latency(session)
    holds = True
    if against is not None or against_checkout is not None:
        pairs = pairs_of(session)
        holds = show_pairs(pairs, unjudged(session, pairs), limit)
    print(f"Results: {folder}")
    if not holds:
        raise typer.Exit(GATE_FAILED)

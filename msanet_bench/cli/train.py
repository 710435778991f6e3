"""`msanet-bench train EXPERIMENT --variant V --seed S`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import DataRoot, Device, ExperimentFile
from msanet_bench.cli.cache import announce_cache

NO_NUMBERS = 1


def train(
    experiment: ExperimentFile,
    *,
    variant: Annotated[
        str, typer.Option(help="Which one, by its name in the plan.", metavar="NAME")
    ] = "baseline",
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Any number.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The checkpoint [default: checkpoints/NAME/VARIANT.seed-S.pt].",
            show_default=False,
            metavar="FILE",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the checkpoint; where there is none, begin.")
    ] = False,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Begin with the weights of a checkpoint, or of a state dict of the article's code.",
            metavar="FILE",
        ),
    ] = None,
    redraw_last_layer: Annotated[
        bool,
        typer.Option("--redraw-last-layer", help="Draw it from the seed where --init has other classes."),
    ] = False,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Write a TensorBoard log into this folder too.", metavar="DIR")
    ] = None,
    device: Device = "auto",
    threads: Annotated[
        int, typer.Option(min=1, help="Of the CPU; a sweep's cells have one, others give other last bits.")
    ] = 1,
    data_root: DataRoot = Path("data"),
) -> None:
    """Train one variant with one seed, to a checkpoint.

    The result is that of the sweep's cell, bit for bit. The checkpoint is written after every epoch: stop
    at any time, and --resume goes on to the bits of a run that nobody disturbed.

    Exit code 0: trained; 1: it diverged or found no memory; 2: the experiment, an option or a file is not in
    order; 130: stopped by Ctrl-C.
    """
    from msanet_bench.checks import load_experiment
    from msanet_bench.console.single import show_tested
    from msanet_bench.console.training import training_shown
    from msanet_bench.single.board import board
    from msanet_bench.single.opening import TrainOptions, default_checkpoint, open_run
    from msanet_bench.single.train import NoNetwork, run_to_end

    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root)
    file = out or default_checkpoint(loaded.name, variant, seed)
    options = TrainOptions(
        variant=variant,
        seed=seed,
        out=file,
        data_root=data_root,
        plugin_folder=experiment.parent,
        device=device,
        threads=threads,
        resume=resume,
        init=init,
        redraw_last_layer=redraw_last_layer,
    )
    run = open_run(loaded, options)
    for note in run.notes:
        print(f"note: {note}")
    what, epochs = f"{run.job.variant} seed {seed}", run.job.settings.train.epochs
    if run.card.epochs:
        print(f"{file}: {run.card.epochs} of {epochs} epochs are there.")
    try:
        with (
            board(tensorboard, run) as log,
            training_shown(what, epochs, run.card.curve) as show,
        ):
            card = run_to_end(run, (log, lambda epoch: show(epoch.to_json())))
    except NoNetwork as error:
        print(f"{what}: {error}", file=sys.stderr)
        raise typer.Exit(NO_NUMBERS) from error
    except KeyboardInterrupt:
        kept = f" What {file} has is kept: --resume goes on with it." if file.exists() else ""
        print(f"Stopped.{kept}", file=sys.stderr)
        raise
    show_tested(card.measures)
    print(f"Checkpoint: {file}")

"""Arguments and options that several verbs share, with their help."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def found_experiment(named: Path | None) -> Path | None:
    """The file that was named, or the one that comes with this package under that name."""
    from msanet_bench.shipped import experiment_file

    return None if named is None else experiment_file(named)


EXPERIMENT_HELP = "The experiment: a YAML file, or the name of one that comes with this package (ablation)."
ExperimentFile = Annotated[
    Path, typer.Argument(help=EXPERIMENT_HELP, metavar="EXPERIMENT", callback=found_experiment)
]
ResultsFolder = Annotated[Path, typer.Argument(help="A results folder of a sweep.", metavar="RESULTS")]
DataRoot = Annotated[
    Path, typer.Option(help="Folder of the data sets that are not embedded.", envvar="MSANET_BENCH_DATA")
]
OtherResults = Annotated[
    Path | None, typer.Option(help="Folder of the results [default: results/NAME].", show_default=False)
]
OtherReports = Annotated[
    Path | None, typer.Option(help="Folder of the report [default: reports/NAME].", show_default=False)
]
External = Annotated[
    Path | None,
    typer.Option(help="A CSV file of rows from elsewhere, which stand beside ours.", metavar="FILE"),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Training processes, one thread each [default: one a core].")
]
Devices = Annotated[
    str,
    typer.Option(
        help="What to train on: auto, cpu, or CUDA devices by number or UUID: 0,1. "
        "More --workers than devices share them.",
        metavar="DEVICES",
    ),
]
Device = Annotated[
    str, typer.Option(help="Where it runs: auto, cpu, cuda, or cuda:1 for the second one.", metavar="DEVICE")
]
CheckpointFile = Annotated[
    Path, typer.Argument(help="A checkpoint of `msanet-bench train`.", metavar="CHECKPOINT")
]
PluginFolder = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the plug-ins that the checkpoint was trained with. They are code, which runs.",
        metavar="DIR",
    ),
]
ExecutorName = Annotated[
    Literal["local", "ray"],
    typer.Option("--executor", help="Where cells run: on this machine, or as tasks of a Ray cluster."),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        help="HOST:PORT of the Ray cluster that this machine is part of "
        "[default: RAY_ADDRESS, else a Ray started here].",
        show_default=False,
    ),
]
MaxAttempts = Annotated[
    int, typer.Option(min=1, help="Try a cell as often while its process dies or lacks memory.")
]
MaxFailures = Annotated[
    int | None, typer.Option(min=0, help="Begin no further cell after more than this many are not ok.")
]
Deadline = Annotated[
    str | None,
    typer.Option(
        help="Begin no cell that would not end by then: 07:30, or 2031-05-01T07:30.", metavar="TIME"
    ),
]
TimeLimit = Annotated[
    str | None,
    typer.Option(help="Kill what trains or counts a cell for longer: 90s, 30m, 2h.", metavar="DURATION"),
]
MemoryLimit = Annotated[
    str | None,
    typer.Option(help="Kill a cell whose processes take more memory of the host: 8GB.", metavar="SIZE"),
]
Retry = Annotated[
    str, typer.Option(help="Train cells again that ended so: failed,oom,diverged.", metavar="STATUSES")
]
Shard = Annotated[
    str,
    typer.Option(
        help="Train a share of the seeds: 2/3 is the second of three [default folder: results/NAME.2-of-3].",
        metavar="I/N",
        show_default=False,
    ),
]
Variants = Annotated[
    str | None,
    typer.Option(help="Train only these variants now: names with commas between.", metavar="NAMES"),
]
AddSeeds = Annotated[
    int | None,
    typer.Option(min=0, help="How many seeds beyond those of the file these variants have from now on."),
]
AcceptCode = Annotated[
    bool, typer.Option("--accept-code", help="Keep cells that other code of model or training made.")
]
RerunChanged = Annotated[
    bool, typer.Option("--rerun-changed", help="Train cells again that other code of model or training made.")
]
Storage = Annotated[
    str | None,
    typer.Option(
        help="Optuna's storage, a URL without password; one with a password goes into the environment "
        "variable MSANET_BENCH_STORAGE [default: RESULTS/study.db].",
        metavar="URL",
        show_default=False,
    ),
]

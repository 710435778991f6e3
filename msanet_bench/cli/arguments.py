"""Arguments and options that several verbs share, with their help."""

from pathlib import Path
from typing import Annotated

import typer

ExperimentFile = Annotated[Path, typer.Argument(help="The experiment, a YAML file.", metavar="EXPERIMENT")]
ResultsFolder = Annotated[Path, typer.Argument(help="A results folder of a sweep.", metavar="RESULTS")]
DataRoot = Annotated[
    Path, typer.Option(help="Folder of the data sets that are not embedded.", envvar="MSANET_BENCH_DATA")
]

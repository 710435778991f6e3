"""Arguments and options that several verbs share, with their help."""

from pathlib import Path
from typing import Annotated

import typer

ExperimentFile = Annotated[Path, typer.Argument(help="The experiment, a YAML file.", metavar="EXPERIMENT")]
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
Retry = Annotated[
    str, typer.Option(help="Train cells again that ended so: failed,oom,diverged.", metavar="STATUSES")
]

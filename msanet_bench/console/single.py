"""What a terminal shows of a trained network."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from msanet_bench.analysis.classification import calibration_error
from msanet_bench.console.tables import open_console
from msanet_bench.report.network import NetworkFindings


def show_tested(measures: Mapping[str, Mapping[str, Any]]) -> None:
    """The measures of a record, in a line."""
    open_console().print(_measures_text({name: each["value"] for name, each in measures.items()}))


def show_network(findings: NetworkFindings) -> None:
    """The measures, calibration, and a row a class."""
    console = open_console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("class", overflow="fold")
    for title in ("precision", "recall", "images", "taken for it"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, score in zip(findings.classes, findings.scores, strict=True):
        shares = map(_share, (score.precision, score.recall))
        table.add_row(escape(name), *shares, f"{score.images:,}", f"{score.predicted:,}")
    console.print(_measures_text(findings.measures))
    console.print(f"expected calibration error {calibration_error(findings.bins):.2%}")
    console.print(table)


def _measures_text(values: Mapping[str, float]) -> str:
    return (
        f"test images: accuracy {values['accuracy']:.2%}, balanced accuracy "
        f"{values['balanced_accuracy']:.2%}, loss {values['loss']:.4f}"
    )


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.2%}"


def show_predictions(classes: Sequence[str], said: Sequence[tuple[Path, Sequence[float]]], top: int) -> None:
    """A row a file: its likeliest classes, each with its probability."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("file", overflow="fold")
    for place in range(1, min(top, len(classes)) + 1):
        table.add_column(f"{place}.", overflow="fold")
        table.add_column("", justify="right", no_wrap=True)
    for file, probabilities in said:
        likeliest = sorted(range(len(classes)), key=lambda number: -probabilities[number])[:top]
        cells = ((escape(classes[number]), f"{probabilities[number]:.2%}") for number in likeliest)
        table.add_row(escape(str(file)), *(cell for pair in cells for cell in pair))
    open_console().print(table)

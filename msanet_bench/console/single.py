"""What a terminal shows of a trained network."""

import math
from collections.abc import Mapping
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

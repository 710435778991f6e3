"""`msanet-bench evaluate CHECKPOINT`."""

from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import CheckpointFile, DataRoot, Device, PluginFolder
from msanet_bench.cli.cache import announce_bytes


def evaluate(
    checkpoint: CheckpointFile,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of the report [default: that of the checkpoint, its name without .pt].",
            show_default=False,
            metavar="DIR",
        ),
    ] = None,
    data_root: DataRoot = Path("data"),
    device: Device = "auto",
    plugins: PluginFolder = None,
) -> None:
    """Test a network and write a report about it.

    On the test images of its data: accuracy, balanced accuracy and loss; precision and recall of each class;
    calibration with its figure; the confusion matrix; where attention looks and how far units see, as
    pictures. The folder has report.md, report.json with every number unrounded, and figures.

    Exit code 0: written; 2: the checkpoint or the data are not in order.
    """
    from msanet_bench.console.single import show_network
    from msanet_bench.data import cache_bytes
    from msanet_bench.report import write_report
    from msanet_bench.report.network import network_report
    from msanet_bench.single.device import chosen_device
    from msanet_bench.single.evaluate import evaluate_network
    from msanet_bench.single.loading import load_checkpoint

    folder = out or checkpoint.with_suffix("")
    if folder == checkpoint:
        raise typer.BadParameter("a checkpoint without .pt: name another folder.", param_hint="--out")
    loaded = load_checkpoint(checkpoint, plugins=plugins, device=chosen_device(device))
    for note in loaded.notes:
        print(f"note: {note}")
    announce_bytes(cache_bytes(loaded.card.settings.data, data_root), data_root)
    findings = evaluate_network(checkpoint, loaded, data_root)
    written = write_report(network_report(findings), folder)
    show_network(findings)
    print(f"Report: {written[0]}")

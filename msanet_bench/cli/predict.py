"""`msanet-bench predict CHECKPOINT IMAGES...`."""

import json as json_module
import sys
from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import CheckpointFile, Device, PluginFolder

SOME_UNREADABLE = 1


def predict(
    checkpoint: CheckpointFile,
    images: Annotated[list[Path], typer.Argument(help="Image files.", metavar="IMAGES...")],
    *,
    top: Annotated[int, typer.Option(min=1, help="How many classes to name, the likeliest first.")] = 3,
    json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a line: the file and every probability.")
    ] = False,
    device: Device = "auto",
    plugins: PluginFolder = None,
) -> None:
    """Say what image files show, with the probability of each class.

    A file is resized and cropped to the size of the images that the network was trained on and prepared as
    those were. What cannot be decoded is named on standard error, and the others go on.

    Exit code 0: all were decoded; 1: some were not; 2: the checkpoint is not in order.
    """
    from msanet_bench.console.single import show_predictions
    from msanet_bench.single.device import chosen_device
    from msanet_bench.single.loading import load_checkpoint
    from msanet_bench.single.predict import predictions

    loaded = load_checkpoint(checkpoint, plugins=plugins, device=chosen_device(device))
    for note in loaded.notes:
        print(f"note: {note}", file=sys.stderr)
    said = list(predictions(loaded, images))
    told = [(each.file, each.probabilities) for each in said if not each.reason]
    if json:
        for file, probabilities in told:
            line = {"file": str(file), "probabilities": dict(zip(loaded.classes, probabilities, strict=True))}
            print(json_module.dumps(line, ensure_ascii=False))
    elif told:
        show_predictions(loaded.classes, told, top)
    for each in said:
        if each.reason:
            print(each.reason, file=sys.stderr)
    if len(told) < len(said):
        raise typer.Exit(SOME_UNREADABLE)

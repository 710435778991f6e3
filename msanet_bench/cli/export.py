"""`msanet-bench export CHECKPOINT`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import CheckpointFile, PluginFolder

DIFFERS = 1


class Format(StrEnum):
    """What a network is written as."""

    torch = "torch"
    onnx = "onnx"


def export(
    checkpoint: CheckpointFile,
    *,
    format_: Annotated[
        Format, typer.Option("--format", help="A program of torch.export, or ONNX.", case_sensitive=False)
    ] = Format.torch,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The file [default: the checkpoint's name with .pt2 or .onnx].",
            show_default=False,
            metavar="FILE",
        ),
    ] = None,
    plugins: PluginFolder = None,
) -> None:
    """Write a network as a program that runs without this package.

    It takes batches of any size of prepared images, in float32, and gives logits. Classes and preprocessing
    are in the file. It is read back and run on random images beside the network itself.

    Exit code 0: written, and equal within the tolerance; 1: it gives other numbers; 2: the checkpoint is not
    in order, or the network has no counterpart in the format.
    """
    from msanet_bench.single.export import BATCHES, SUFFIXES, export_network
    from msanet_bench.single.loading import load_checkpoint

    loaded = load_checkpoint(checkpoint, plugins=plugins)
    for note in loaded.notes:
        print(f"note: {note}")
    file = out or checkpoint.with_suffix(SUFFIXES[format_.value])
    exported = export_network(loaded, file, format_.value)
    batches = ", ".join(map(str, BATCHES))
    verdict = "equal" if exported.is_equal else "NOT equal"
    print(
        f"{verdict}: logits of random images in batches of {batches} differ by at most "
        f"{exported.difference:.7f}, and {exported.tolerance:.7f} is allowed"
    )
    print(f"Exported: {file}")
    if not exported.is_equal:
        raise typer.Exit(DIFFERS)

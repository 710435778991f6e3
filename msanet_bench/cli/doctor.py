"""`msanet-bench doctor`."""

from pathlib import Path
from typing import Annotated

import typer

NOT_IN_ORDER = 1


def doctor(
    *,
    seconds: Annotated[
        float, typer.Option(min=1.0, help="How long the noise of each device is listened to.")
    ] = 30.0,
    out: Annotated[
        Path | None,
        typer.Option(help="Write all of it to this file, as JSON for an issue.", metavar="FILE"),
    ] = None,
    results: Annotated[
        Path, typer.Option(help="The folder whose storage is examined.", metavar="DIR")
    ] = Path("results"),
    verify: Annotated[
        Path | None,
        typer.Option(help="Examine nothing: say whether such a file was edited.", metavar="FILE"),
    ] = None,
) -> None:
    """Examine what this machine can measure.

    Hardware, versions, flags, storage, and the noise of each device: one network is timed under several
    names, so all differences are noise. A CUDA device is put to eight checks. Without --out nothing is
    written; the file names no host, user or folder. Its digest shows whether it was edited by accident, and
    proves no author.

    Exit code 0: in order, as far as can be told; 1: a check failed, nothing can be kept in the folder, or
    --verify found an edited file; 2: a file cannot be read or written.
    """
    if verify is not None:
        _verify(verify)
        return
    from msanet_bench.console.doctor import show_sections
    from msanet_bench.doctor.examine import examine
    from msanet_bench.doctor.signed import write_examination
    from msanet_bench.doctor.words import conclusion, sections

    print(f"listening to the noise of each device for about {seconds:g} s", flush=True)
    examination = examine(results, seconds)
    show_sections(sections(examination))
    print(conclusion(examination))
    if out is not None:
        write_examination(out, examination)
    if examination.failed:
        raise typer.Exit(NOT_IN_ORDER)


def _verify(path: Path) -> None:
    from msanet_bench.doctor.signed import read_examination

    if read_examination(path).is_unedited:
        print(f"{path}: as it was written.")
        return
    print(f"{path}: edited since it was written.")
    raise typer.Exit(NOT_IN_ORDER)

"""The Python face: the network, a sweep as a generator, an exact count."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from msanet_bench.errors import BenchError
from msanet_bench.measure.macs import count_macs
from msanet_bench.model.assemble import assemble
from msanet_bench.model.msanet import MSANet
from msanet_bench.overlay import PathError, change_model
from msanet_bench.records import Record, read_records
from msanet_bench.spec import Experiment, ModelSpec
from msanet_bench.sweep import SweepOptions, run_sweep


def msanet(num_classes: int = 10, *, in_channels: int = 3, **changes: Any) -> MSANet:  # noqa: ANN401
    """The article's network, with any slot or size changed as in a YAML's `baseline`.

        msanet(num_classes=10, width=0.25, attention="none", branches={"dilated": {"dilation": 3}})

    x: (N, in_channels, H, W) -> (N, num_classes)

    Raises:
        BenchError: a slot, block or option is unknown or refuses its value.
    """
    spec = ModelSpec()
    branches = changes.pop("branches", {})
    if "model" in changes:
        raise BenchError("model: this makes MSANet alone. Remove it.")
    for path, value in [*changes.items(), *((f"branches.{name}", value) for name, value in branches.items())]:
        try:
            spec = change_model(spec, path, value)
        except PathError as error:
            raise BenchError(f"{path}: {error}") from error
    return assemble(spec, num_classes=num_classes, in_channels=in_channels)


def run(experiment: Experiment, results: Path | str | None = None, **options: Any) -> Iterator[Record]:  # noqa: ANN401
    """Run what is missing of an experiment; its records in plan order, once all have ended.

    `options` are those of `SweepOptions`; what was run before is not run again.

    Raises:
        BenchError: the experiment names plug-in files, and no `plugin_folder` says where they are.
    """
    if "plugin_folder" not in options and any(name.endswith(".py") for name in experiment.plugins):
        raise BenchError("run: give `plugin_folder`, the folder that plug-in files are relative to.")
    folder = Path(results) if results is not None else Path("results") / experiment.name
    for _ in run_sweep(experiment, SweepOptions(results=folder, **options)):
        pass
    yield from read_records(folder)


def macs(model: nn.Module, input_shape: tuple[int, int, int]) -> int:
    """Multiply-accumulates of one forward pass of one image (C, H, W): exact, or not at all.

    Raises:
        BenchError: an operation of the model is not accounted for.
    """
    counted = count_macs(model, input_shape)
    if not counted.is_exact:
        raise BenchError(f"multiply-accumulates: {counted.status}")
    return counted.total

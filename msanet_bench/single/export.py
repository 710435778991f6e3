"""A trained network as a program that runs without this package, and whether it gives the same numbers."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from msanet_bench.errors import BenchError, first_line
from msanet_bench.records import replace_bytes
from msanet_bench.single.loading import Loaded
from msanet_bench.streams import derive_seed

Format: TypeAlias = Literal["torch", "onnx"]
Program: TypeAlias = Callable[[Tensor], Tensor]

SUFFIXES: Mapping[Format, str] = {"torch": ".pt2", "onnx": ".onnx"}
CARD = "msanet_bench.json"

# of the largest logit, or of 1 where that is smaller: float32 has 7 digits, of which other kernels, which add
# up in another order, may lose some
TOLERANCE = 1e-4
BATCHES = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written, and how far its logits are from the network's.

    Attributes:
        difference: The largest absolute one over random images in batches of `BATCHES`.
        tolerance: What it may be, from the size of the logits.
    """

    file: Path
    difference: float
    tolerance: float

    @property
    def is_equal(self) -> bool:
        return self.difference <= self.tolerance


def export_network(loaded: Loaded, file: Path, kind: Format) -> Exported:
    """Write a network in float32 for batches of any size of prepared images, read it back and compare.

    In the file are the classes and the preprocessing too, as JSON.

    Raises:
        BenchError: what the format needs is not installed, or torch cannot export the network.
    """
    model, size = loaded.model.cpu().float().eval(), loaded.card.network_image
    file.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        try:
            _WRITERS[kind](model, _images(2, size), file, _facts(loaded))
        except (RuntimeError, ValueError) as error:
            raise BenchError(
                f"--format {kind}: torch cannot export this network ({first_line(error)}). One of its "
                "blocks does what the format has no words for."
            ) from error
    return _compared(model, _READERS[kind](file), size, file)


def _facts(loaded: Loaded) -> str:
    card = loaded.card
    return json.dumps(
        {
            "input": ["batch", *card.network_image],
            "output": "logits",
            "classes": card.classes,
            "preprocessing": {"scale": "0..1", **card.preprocessing.model_dump()},
            "variant": card.variant,
            "seed": card.seed,
            "key": card.key,
        }
    )


def _images(number: int, size: Sequence[int]) -> Tensor:
    generator = torch.Generator().manual_seed(derive_seed("export", number))
    return torch.randn(number, *size, generator=generator)


def _compared(model: nn.Module, program: Program, size: Sequence[int], file: Path) -> Exported:
    difference = largest = 0.0
    with torch.inference_mode():
        for number in BATCHES:
            images = _images(number, size)
            logits = model(images)
            difference = max(difference, float((program(images) - logits).abs().max()))
            largest = max(largest, float(logits.abs().max()))
    return Exported(file, difference, TOLERANCE * max(1.0, largest))


def _write_torch(model: nn.Module, images: Tensor, file: Path, facts: str) -> None:
    program = torch.export.export(model, (images,), dynamic_shapes=_DYNAMIC)
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={CARD: facts})
    replace_bytes(file, buffer.getvalue())


def _read_torch(file: Path) -> Program:
    program: Program = torch.export.load(file).module()
    return program


def _write_onnx(model: nn.Module, images: Tensor, file: Path, facts: str) -> None:
    _onnxruntime()
    program = torch.onnx.export(
        model,
        (images,),
        dynamo=True,
        verbose=False,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=_DYNAMIC,
    )
    assert program is not None  # noqa: S101 (as it always is with `dynamo`)
    program.model.metadata_props[CARD] = facts
    unfinished = file.with_name(f".{file.name}.new")
    try:
        program.save(unfinished)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _read_onnx(file: Path) -> Program:
    session = _onnxruntime().InferenceSession(file, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])

    return run


def _onnxruntime() -> Any:  # noqa: ANN401 (a module without types)
    """ONNX Runtime, once all is there that torch's exporter needs too."""
    try:
        import onnxruntime  # noqa: PLC0415 (an extra, which most do without)
        import onnxscript  # noqa: F401, PLC0415 (torch imports it, as late as it can)
    except ImportError as error:
        raise BenchError(
            "--format onnx: needs onnxscript and onnxruntime. Install them: pip install 'msanet-bench[onnx]'"
        ) from error
    return onnxruntime


_DYNAMIC = ({0: torch.export.Dim("batch")},)
_WRITERS = {"torch": _write_torch, "onnx": _write_onnx}
_READERS = {"torch": _read_torch, "onnx": _read_onnx}

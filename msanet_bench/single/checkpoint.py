"""Checkpoints: one file of tensors and JSON, written whole or not at all, of which nothing is run."""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from msanet_bench.errors import BenchError, first_line
from msanet_bench.records import replace_bytes
from msanet_bench.single.card import Card
from msanet_bench.train.progress import Epoch, Progress

MARK = "msanet_bench"

# what torch raises for a file that is no archive, ends early, or holds more than tensors and plain values
_UNREADABLE = (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A network that was trained, or is being trained.

    Attributes:
        weights: The state dict of the epoch that is chosen so far.
        progress: What training goes on from; None once it is at its end.
    """

    card: Card
    weights: Mapping[str, Tensor]
    progress: Progress | None = None


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; whoever reads meanwhile finds the old one or the new one.

    Raises:
        ResultsError: the disk refuses; what stood there is unchanged.
    """
    content = {
        MARK: checkpoint.card.model_dump_json(),
        "weights": dict(checkpoint.weights),
        "progress": None if checkpoint.progress is None else _plain(checkpoint.progress),
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_bytes(path, buffer.getvalue(), durable=True)


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint of a file, its tensors on the CPU.

    Raises:
        BenchError: there is no such file, or it is none of ours or damaged.
    """
    return as_checkpoint(path, read_tensors(path))


def read_tensors(path: Path) -> Mapping[str, Any]:
    """What `torch.save` wrote of tensors and plain values; anything else in it is refused, not run.

    Raises:
        BenchError: there is no such file, or it holds something else.
    """
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror}).") from error
    try:
        content = torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise BenchError(
            f"{path}: must hold tensors and plain values that torch saved, but does not, or is damaged "
            f"({_reason(error)})."
        ) from error
    if not isinstance(content, Mapping):
        raise BenchError(f"{path}: must hold tensors by name, but holds a {type(content).__name__}.")
    return content


def as_checkpoint(path: Path, content: Mapping[str, Any]) -> Checkpoint:
    """What a file of ours holds.

    Raises:
        BenchError: it is none of ours, or damaged.
    """
    if MARK not in content:
        raise BenchError(
            f"{path}: is no checkpoint of msanet_bench. `msanet-bench train --init` begins with its weights."
        )
    try:
        card = Card.model_validate_json(content[MARK])
        kept = content["progress"]
        progress = None if kept is None else _progress(card, kept)
        return Checkpoint(card, content["weights"], progress)
    except (ValidationError, KeyError, TypeError) as error:
        raise BenchError(
            f"{path}: is damaged, or was written by a newer version ({_reason(error)}). Update, or train it "
            "again."
        ) from error


def _plain(progress: Progress) -> dict[str, Any]:
    """Curve and choice apart, which the card has."""
    return {
        "model": dict(progress.model),
        "best": dict(progress.best),
        "optimiser": dict(progress.optimiser),
        "scaler": dict(progress.scaler),
        "positions": dict(progress.positions),
    }


def _progress(card: Card, kept: Mapping[str, Any]) -> Progress:
    return Progress(curve=tuple(map(Epoch.from_json, card.curve)), chosen_epoch=card.chosen_epoch, **kept)


def _reason(error: Exception) -> str:
    """The first line of what went wrong; torch's goes on with advice to load the file unsafely."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return first_line(error).partition(". ")[0]

"""A trained network out of its checkpoint, ready to be asked."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from msanet_bench.cell import network
from msanet_bench.data import Preprocessing
from msanet_bench.errors import BenchError, BlockError
from msanet_bench.plugins import load_entry_points, load_plugins
from msanet_bench.single.card import Card
from msanet_bench.single.checkpoint import read_checkpoint
from msanet_bench.source_digest import code_digest


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network in evaluation mode, with what it must be fed.

    Attributes:
        card: Where it comes from, and what it was trained on.
        notes: What a reader should know: that its training is not at its end, or that other code trained it.
    """

    model: nn.Module
    card: Card
    notes: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class, in the order of the logits."""
        return self.card.classes

    @property
    def preprocessing(self) -> Preprocessing:
        return self.card.prepared_by()


def load_checkpoint(file: Path | str, *, plugins: Path | str | None = None, device: str = "cpu") -> Loaded:
    """The network of a checkpoint.

    Args:
        file: What `msanet-bench train` wrote.
        plugins: The folder of the plug-ins that it was trained with. They are code, which runs: without this
            nothing is imported that the file names.
        device: Where the network is to be.

    Raises:
        BenchError: the file is none of ours or damaged, it needs plug-ins, or its weights do not fit the
            network that today's code builds.
    """
    path = Path(file)
    checkpoint = read_checkpoint(path)
    card = checkpoint.card
    folder = _load_plugins(path, card, plugins)
    with torch.random.fork_rng(devices=[]):
        model = _built(path, card)
    try:
        model.load_state_dict(checkpoint.weights)
    except (RuntimeError, TypeError) as error:
        raise BenchError(
            f"{path}: its weights do not fit the network that this code builds of its settings. "
            f"{' '.join(str(error).split())}"
        ) from error
    return Loaded(model.to(device).eval(), card, _notes(path, card, folder))


def _load_plugins(path: Path, card: Card, plugins: Path | str | None) -> Path:
    """Load what the network is built of; the folder that plug-in files are relative to."""
    load_entry_points()
    if card.plugins and plugins is None:
        raise BenchError(
            f"{path}: was trained with the plug-ins {', '.join(card.plugins)}. They are code, which runs: "
            "if you trust them, name their folder with --plugins."
        )
    folder = Path(plugins or ".").resolve()
    load_plugins(card.plugins, folder)
    return folder


def _built(path: Path, card: Card) -> nn.Module:
    """The network at its start: what is in no state dict is as it was in training too."""
    try:
        return network(card.settings, card.seed, len(card.classes), card.network_image)
    except BlockError as error:
        raise BenchError(f"{path}: this code cannot build its network: {error}") from error


def _notes(path: Path, card: Card, folder: Path) -> tuple[str, ...]:
    notes = []
    here = code_digest(card.plugins, folder)
    others = [stretch.code for stretch in card.stretches if stretch.code != here]
    if others:
        notes.append(
            f"{path}: was trained by other code of model, data or training ({others[-1]}; here {here})."
        )
    if not card.is_finished:
        epochs = card.settings.train.epochs
        notes.append(f"{path}: its training is not at its end ({card.epochs} of {epochs} epochs).")
    return tuple(notes)

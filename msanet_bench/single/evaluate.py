"""A trained network on its test images: what its report is made of."""

from collections.abc import Iterator
from pathlib import Path

import torch

from msanet_bench.cell import network, start_worker
from msanet_bench.data import Dataset, load, prepare_test
from msanet_bench.errors import DataError
from msanet_bench.report.network import NetworkFindings
from msanet_bench.single.attention import attention_maps
from msanet_bench.single.fields import fields_of
from msanet_bench.single.loading import Loaded
from msanet_bench.single.pictures import attention_pictures, field_pictures, first_of_classes
from msanet_bench.train.evaluate import metrics, outputs
from msanet_bench.train.seed import set_determinism


def evaluate_network(path: Path, loaded: Loaded, data_root: Path) -> NetworkFindings:
    """Everything that is said of a network; the same numbers as at the end of its training.

    Raises:
        DataError: the data are missing, or not those that it was trained with.
    """
    card, model = loaded.card, loaded.model
    device = next(model.parameters()).device
    start_worker(card.stretches[-1].threads)
    set_determinism(device, deterministic=True)
    dataset = _dataset(path, loaded, data_root)
    source = prepare_test(dataset, loaded.preprocessing, device)
    logits, labels = outputs(model, source, card.settings.train)
    measures = metrics(logits, labels, len(card.classes)).measures
    chosen = first_of_classes(dataset)
    images, _ = next(iter(source.batches([torch.tensor(chosen)])))
    start = network(card.settings, card.seed, len(card.classes), card.network_image)
    return NetworkFindings(
        name=f"{card.name}: {card.variant} seed {card.seed}",
        settings=tuple(_facts(loaded, dataset)),
        notes=(*loaded.notes, *dataset.notes),
        classes=card.classes,
        measures={name: float(measure.value) for name, measure in measures.items()},
        probabilities=logits.double().softmax(dim=1).numpy(),
        labels=labels.numpy(),
        attention=attention_pictures(dataset, chosen, attention_maps(model, images)),
        fields=field_pictures(fields_of(start, card.network_image), fields_of(model, card.network_image)),
    )


def _dataset(path: Path, loaded: Loaded, data_root: Path) -> Dataset:
    card = loaded.card
    dataset = load(card.settings.data, data_root)
    if dataset.digest != card.data_digest:
        raise DataError(
            f"{path}: was trained with other data of {card.settings.data.dataset} ({card.data_digest}) than "
            f"those below {data_root} ({dataset.digest}). Name the folder with its data: --data-root."
        )
    return dataset


def _facts(loaded: Loaded, dataset: Dataset) -> Iterator[str]:
    card = loaded.card
    here = card.stretches[-1]
    yield f"Data: `{card.settings.data.dataset}`, {len(dataset.test_labels):,} test images."
    yield (
        f"Trained for {card.epochs} epochs on {here.device}, torch {here.torch}; the weights are those of "
        f"epoch {card.chosen_epoch}."
    )
    if card.init is not None:
        yield f"It began with the weights of a file (SHA-256 {card.init.sha256}...)."

"""What stands ready before a cell's first step: the process, data and network."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from msanet_bench.cell.job import Job
from msanet_bench.data import Dataset, PreparedData, augment_batch, load, prepare_all, split
from msanet_bench.errors import DataError
from msanet_bench.model.attention.dot_product import use_attention
from msanet_bench.model.build import start
from msanet_bench.overlay import Settings
from msanet_bench.plugins import load_entry_points, load_plugins
from msanet_bench.spec import DataSpec
from msanet_bench.streams import stream_seed
from msanet_bench.train.fit import Augment
from msanet_bench.train.seed import seed_global_start, set_determinism


@dataclass(frozen=True, slots=True)
class Ready:
    """What stands ready before the first step: data and network on the device, the process set for it.

    Attributes:
        augment: Changes a batch of training images; None where nothing is asked for.
        notes: What the record must say about determinism.
    """

    data: PreparedData
    model: nn.Module
    augment: Augment | None
    notes: tuple[str, ...]


def set_process(job: Job) -> tuple[str, ...]:
    """Load what a cell is built of and set the process for it; what the record must say about determinism."""
    _load_plugins(job.plugins, job.plugin_folder)
    deterministic = job.settings.train.deterministic
    return set_determinism(torch.device(job.device), deterministic=deterministic)


def made_ready(job: Job, sent: Dataset | None = None) -> Ready:
    """A cell before its first step."""
    notes = set_process(job)
    data = cell_data(job, sent)
    model = network(job.settings, job.seed, data.num_classes, data.image).to(job.device)
    return Ready(data, model, _augmentation(job), notes)


def network(settings: Settings, seed: int, num_classes: int, image: tuple[int, int, int]) -> nn.Module:
    """A cell's network at its start, for images (C, H, W); global randomness is the seed's from here."""
    seed_global_start(seed, replicate=settings.replicate)
    channels, *size = image
    model = start(
        settings.model,
        stream_seed(seed, "init", replicate=settings.replicate),
        num_classes=num_classes,
        in_channels=channels,
        size=(size[0], size[1]),
    )
    if settings.train.fused_attention:
        use_attention(model, "sdpa")
    return model


def cell_data(job: Job, sent: Dataset | None = None) -> PreparedData:
    """What a cell trains on and is tested with; kept for the next cell of the same seed."""
    return _prepared(
        job.settings.data.model_dump_json(),
        job.data_digest,
        job.seed,
        job.settings.replicate,
        job.data_root if sent is None else sent,
        job.device,
    )


def dataset_of(job: Job) -> Dataset:
    """The data in the job's `data_root`; raises as `load` does."""
    return _dataset(job.settings.data.model_dump_json(), job.data_root)


# what is installed is looked up once a process: 4 ms
@lru_cache(maxsize=1)
def _load_plugins(plugins: tuple[str, ...], folder: Path) -> None:
    load_entry_points()
    load_plugins(plugins, folder)


def _augmentation(job: Job) -> Augment | None:
    names = job.settings.data.augment

    def augment(images: Tensor, noise: Generator) -> Tensor:
        return augment_batch(images, names, noise)

    return augment if names else None


# Cells come seed by seed, so neighbours share their data.
@lru_cache(maxsize=1)
def _prepared(
    data_json: str, data_digest: str, seed: int, replicate: int, source: Path | Dataset, device: str
) -> PreparedData:
    spec = DataSpec.model_validate_json(data_json)
    dataset = source if isinstance(source, Dataset) else _dataset(data_json, source)
    if dataset.digest != data_digest:
        raise DataError(f"{spec.dataset}: the data have changed since the sweep began. Run it again.")
    return prepare_all(dataset, spec, split(dataset, spec, seed, replicate), torch.device(device))


@lru_cache(maxsize=1)
def _dataset(data_json: str, root: Path) -> Dataset:
    return load(DataSpec.model_validate_json(data_json), root)

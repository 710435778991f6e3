"""One cell, from its settings to its record: build, train, evaluate. Runs in a worker process."""

import math
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from msanet_bench.data import Dataset, PreparedData, augment_batch, load, prepare_all, split
from msanet_bench.errors import DataError
from msanet_bench.journal import Attempt
from msanet_bench.measure.memory.refused import is_out_of_memory
from msanet_bench.model.attention.dot_product import use_attention
from msanet_bench.model.build import build
from msanet_bench.model.initialise import initialise
from msanet_bench.model.msanet import MSANet
from msanet_bench.overlay import Settings
from msanet_bench.plugins import load_entry_points, load_plugins
from msanet_bench.records import Record, Status, pack_bits
from msanet_bench.spec import DataSpec
from msanet_bench.streams import stream_seed
from msanet_bench.train.evaluate import Evaluation, evaluate
from msanet_bench.train.fit import Augment, Diverged, Fit, fit
from msanet_bench.train.heap import keep_freed_memory
from msanet_bench.train.seed import nondeterministic_kernels, seed_global_start, set_determinism
from msanet_bench.train.stop import Stops, watching
from msanet_bench.units import Measure

THREADS_PER_WORKER = 1


class NotFinite(Exception):
    """A measure of a cell is NaN or infinite; an outcome of a cell, as Diverged is."""


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a worker needs to run one cell.

    Attributes:
        data_digest: Of the data that the plan was made for.
        code: The digest of the code that the coordinator has loaded.
        costs: Parameters and multiply-accumulates, which are the same for every seed.
        stops: Of a search: what it must reach to go on.
        is_tested: False of a cell that tunes: its record knows nothing of the test images.
    """

    key: str
    variant: str
    factors: Mapping[str, Any]
    settings: Settings
    seed: int
    data_digest: str
    code: str
    costs: Mapping[str, Measure]
    data_root: Path
    plugins: tuple[str, ...]
    plugin_folder: Path
    device: str
    threads: int
    stops: Stops | None = None
    is_tested: bool = True


def start_worker(threads: int) -> None:
    """Set a process for training; how many threads its tensors may use changes the last bits."""
    torch.set_num_threads(threads)
    keep_freed_memory()


def run_cell(job: Job, sent: Dataset | None = None) -> Attempt:
    """Run a cell, with data that were `sent` or those of its `data_root`; what goes wrong is its record."""
    started, clock = time.time(), time.perf_counter()
    train_seconds = evaluate_seconds = None
    trace = ""
    try:
        record, train_seconds, evaluate_seconds = _train_and_evaluate(job, sent)
    except (Diverged, NotFinite) as error:
        record = failure(job, "diverged", str(error))
    except Exception as error:  # noqa: BLE001 (a cell's failure is a result: the sweep goes on)
        record = failure(job, *broken_off(error))
        trace = traceback.format_exc()
    return Attempt(
        record=record,
        started=started,
        seconds=time.perf_counter() - clock,
        train_seconds=train_seconds,
        evaluate_seconds=evaluate_seconds,
        device=job.device,
        host=socket.gethostname(),
        traceback=trace,
    )


def failure(job: Job, status: Status, reason: str) -> Record:
    """The record of a cell that gave no numbers."""
    return Record(
        key=job.key,
        variant=job.variant,
        factors=job.factors,
        seed=job.seed,
        replicate=job.settings.replicate,
        status=status,
        reason=reason,
        provenance=job_provenance(job),
    )


def broken_off(error: Exception) -> tuple[Status, str]:
    """What an error of a cell makes of it, and the reason that its record gives."""
    if is_out_of_memory(error):
        return "oom", _first_line(error)
    return "failed", f"{type(error).__name__}: {_first_line(error)}"


@dataclass(frozen=True, slots=True)
class Ready:
    """What stands ready before the first step: data and network on the device, the process set for it.

    Attributes:
        augment: Changes a batch of training images; None where nothing is asked for.
        notes: What the record must say about determinism.
    """

    data: PreparedData
    model: MSANet
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
    model = network(job.settings, job.seed, data.num_classes, data.in_channels).to(job.device)
    return Ready(data, model, _augmentation(job), notes)


# what is installed is looked up once a process: 4 ms
@lru_cache(maxsize=1)
def _load_plugins(plugins: tuple[str, ...], folder: Path) -> None:
    load_entry_points()
    load_plugins(plugins, folder)


def _train_and_evaluate(job: Job, sent: Dataset | None) -> tuple[Record, float, float | None]:
    ready, settings = made_ready(job, sent), job.settings
    data = ready.data
    clock = time.perf_counter()
    with nondeterministic_kernels() as kernels:
        trained = fit(
            ready.model,
            data,
            settings.train,
            seed=job.seed,
            replicate=settings.replicate,
            augment=ready.augment,
            on_epoch=None if job.stops is None else watching(job.stops),
        )
        train_seconds = time.perf_counter() - clock
        if job.stops is not None and (reason := job.stops.reason(trained.curve)):
            return _pruned(job, trained, reason), train_seconds, None
        if not job.is_tested:
            return _untested(job, trained), train_seconds, None
        tested = evaluate(ready.model, data.test, settings.train, data.num_classes)
    evaluate_seconds = time.perf_counter() - clock - train_seconds
    return _success(job, trained, tested, [*ready.notes, *kernels]), train_seconds, evaluate_seconds


def dataset_of(job: Job) -> Dataset:
    """The data in the job's `data_root`; raises as `load` does."""
    return _dataset(job.settings.data.model_dump_json(), job.data_root)


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


def network(settings: Settings, seed: int, num_classes: int, in_channels: int) -> MSANet:
    """A cell's network at its start; global randomness is as the seed says from here on."""
    seed_global_start(seed, replicate=settings.replicate)
    model = build(settings.model, num_classes=num_classes, in_channels=in_channels)
    initialise(model, stream_seed(seed, "init", replicate=settings.replicate))
    if settings.train.fused_attention:
        use_attention(model, "sdpa")
    return model


def _augmentation(job: Job) -> Augment | None:
    names = job.settings.data.augment

    def augment(images: Tensor, noise: Generator) -> Tensor:
        return augment_batch(images, names, noise)

    return augment if names else None


def _pruned(job: Job, trained: Fit, reason: str) -> Record:
    """The record of a run that was not worth its end: how it went so far, and nothing of the test images."""
    curve = [epoch.to_json() for epoch in trained.curve]
    require_finite({}, curve)
    return replace(failure(job, "pruned", reason), curve=curve)


def _untested(job: Job, trained: Fit) -> Record:
    """The record of a run that is judged by validation images, by the epoch whose weights would be tested."""
    run = _pruned(job, trained, "")
    accuracy = run.curve[trained.chosen_epoch - 1]["validation_accuracy"]
    return replace(
        run, status="ok", measures={"validation_accuracy": Measure(accuracy, "fraction", "higher")}
    )


def _success(job: Job, trained: Fit, tested: Evaluation, determinism: list[str]) -> Record:
    """The record of a cell that gave numbers.

    Raises:
        NotFinite: one of them is none.
    """
    curve = [epoch.to_json() for epoch in trained.curve]
    require_finite(tested.measures, curve)
    return Record(
        key=job.key,
        variant=job.variant,
        factors=job.factors,
        seed=job.seed,
        replicate=job.settings.replicate,
        status="ok",
        measures={**tested.measures, **job.costs},
        curve=curve,
        correct=pack_bits(tested.correct),
        test_images=len(tested.correct),
        provenance={
            **job_provenance(job),
            "chosen_epoch": trained.chosen_epoch,
            "determinism": determinism,
        },
    )


def require_finite(measures: Mapping[str, Measure], curve: Sequence[Mapping[str, float]]) -> None:
    """Weights can be finite and still give outputs that are not, in half precision for example."""
    values = {f"the test's {name}": measure.value for name, measure in measures.items()}
    values |= {f"the {name} of epoch {row['epoch']}": value for row in curve for name, value in row.items()}
    for name, value in values.items():
        if not math.isfinite(value):
            raise NotFinite(f"{name} is {value}")


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


def job_provenance(job: Job) -> dict[str, Any]:
    """What a record says its numbers depend on beside its key."""
    return {
        "code": job.code,
        "data_digest": job.data_digest,
        "device": device_name(job.device),
        "threads": job.threads,
        "torch": torch.__version__,
    }


def device_name(device: str) -> str:
    """`cpu`, or the model of the CUDA device."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

"""One cell, from its settings to its record: build, train, evaluate. Runs in a worker process."""

import hashlib
import math
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

import msanet_bench
from msanet_bench.data import Dataset, PreparedData, augment_batch, load, prepare_all, split
from msanet_bench.errors import DataError
from msanet_bench.journal import Attempt
from msanet_bench.measure.memory.refused import is_out_of_memory
from msanet_bench.model.build import build
from msanet_bench.model.initialise import initialise
from msanet_bench.model.msanet import MSANet
from msanet_bench.overlay import Settings
from msanet_bench.plugins import load_entry_points, load_plugins, plugin_source
from msanet_bench.records import Record, Status, pack_bits
from msanet_bench.spec import DataSpec
from msanet_bench.streams import stream_seed
from msanet_bench.train.evaluate import Evaluation, evaluate
from msanet_bench.train.fit import Diverged, Fit, fit
from msanet_bench.train.seed import nondeterministic_kernels, seed_global_start, set_determinism
from msanet_bench.units import Measure

THREADS_PER_WORKER = 1

# what a cell's numbers come from; the rest of the package plans, stores and reports
_CODE = ("cell.py", "spec.py", "streams.py", "data", "model", "train")


class NotFinite(Exception):
    """A measure of a cell is NaN or infinite; an outcome of a cell, as Diverged is."""


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a worker needs to run one cell.

    Attributes:
        data_digest: Of the data that the plan was made for.
        code: The digest of the code that the coordinator has loaded.
        costs: Parameters and multiply-accumulates, which are the same for every seed.
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


def start_worker(threads: int) -> None:
    """How many threads a worker's tensors may use: it changes the last bits, so records name it."""
    torch.set_num_threads(threads)


def run_cell(job: Job) -> Attempt:
    """Run a cell; whatever goes wrong with it becomes its record."""
    started, clock = time.time(), time.perf_counter()
    train_seconds = evaluate_seconds = None
    trace = ""
    try:
        record, train_seconds, evaluate_seconds = _train_and_evaluate(job)
    except (Diverged, NotFinite) as error:
        record = failure(job, "diverged", str(error))
    except Exception as error:  # noqa: BLE001 (a cell's failure is a result: the sweep goes on)
        record = _broken_off(job, error)
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


def _broken_off(job: Job, error: Exception) -> Record:
    if is_out_of_memory(error):
        return failure(job, "oom", _first_line(error))
    return failure(job, "failed", f"{type(error).__name__}: {_first_line(error)}")


def _train_and_evaluate(job: Job) -> tuple[Record, float, float]:
    _load_plugins(job.plugins, job.plugin_folder)
    settings, device = job.settings, torch.device(job.device)
    notes = set_determinism(device, deterministic=settings.train.deterministic)
    data = _data(job)
    model = _model(job, data)
    clock = time.perf_counter()
    with nondeterministic_kernels() as kernels:
        trained = _fit(job, model.to(device), data)
        train_seconds = time.perf_counter() - clock
        tested = evaluate(model, data.test, settings.train, data.num_classes)
    evaluate_seconds = time.perf_counter() - clock - train_seconds
    return _success(job, trained, tested, [*notes, *kernels]), train_seconds, evaluate_seconds


# what is installed is looked up once a process: 4 ms
@lru_cache(maxsize=1)
def _load_plugins(plugins: tuple[str, ...], folder: Path) -> None:
    load_entry_points()
    load_plugins(plugins, folder)


def _data(job: Job) -> PreparedData:
    return _prepared(
        job.settings.data.model_dump_json(),
        job.data_digest,
        job.seed,
        job.settings.replicate,
        job.data_root,
        job.device,
    )


def _model(job: Job, data: PreparedData) -> MSANet:
    """The cell's network at its start; global randomness is as the seed says from here on."""
    settings = job.settings
    seed_global_start(job.seed, replicate=settings.replicate)
    model = build(settings.model, num_classes=data.num_classes, in_channels=data.in_channels)
    initialise(model, stream_seed(job.seed, "init", replicate=settings.replicate))
    return model


def _fit(job: Job, model: MSANet, data: PreparedData) -> Fit:
    names = job.settings.data.augment

    def augment(images: Tensor, noise: Generator) -> Tensor:
        return augment_batch(images, names, noise)

    return fit(
        model,
        data,
        job.settings.train,
        seed=job.seed,
        replicate=job.settings.replicate,
        augment=augment if names else None,
    )


def _success(job: Job, trained: Fit, tested: Evaluation, determinism: list[str]) -> Record:
    """The record of a cell that gave numbers.

    Raises:
        NotFinite: one of them is none.
    """
    curve = [epoch.to_json() for epoch in trained.curve]
    _require_finite(tested.measures, curve)
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


def _require_finite(measures: Mapping[str, Measure], curve: Sequence[Mapping[str, float]]) -> None:
    """Weights can be finite and still give outputs that are not, in half precision for example."""
    values = {f"the test's {name}": measure.value for name, measure in measures.items()}
    values |= {f"the {name} of epoch {row['epoch']}": value for row in curve for name, value in row.items()}
    for name, value in values.items():
        if not math.isfinite(value):
            raise NotFinite(f"{name} is {value}")


# Cells come seed by seed, so neighbours share their data.
@lru_cache(maxsize=1)
def _prepared(
    data_json: str, data_digest: str, seed: int, replicate: int, root: Path, device: str
) -> PreparedData:
    spec = DataSpec.model_validate_json(data_json)
    dataset = _dataset(data_json, root)
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


def code_digest(plugins: Sequence[str], plugin_folder: Path) -> str:
    """The first 16 hexadecimal digits of a SHA-256 over the source that a cell's numbers come from.

    Plug-ins are part of it, modules only after they were loaded; installed packages are not, torch apart,
    which a record names.
    """
    package = Path(msanet_bench.__file__).parent
    ours = [file for part in _CODE for file in _sources(package / part)]
    sources = {file.relative_to(package).as_posix(): file for file in ours}
    sources |= {name: plugin_source(name, plugin_folder) for name in plugins}
    sha = hashlib.sha256()
    for name, file in sources.items():
        sha.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return sha.hexdigest()[:16]


def _sources(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

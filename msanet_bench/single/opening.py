"""What a training run is, and all that can be checked of it before its first step."""

import re
from dataclasses import dataclass
from pathlib import Path

import torch

from msanet_bench.cell import (
    THREADS_PER_WORKER,
    Job,
    cell_data,
    dataset_of,
    device_name,
    set_process,
    start_worker,
)
from msanet_bench.checks import catalog, check_plan
from msanet_bench.errors import BenchError
from msanet_bench.plan import cell_key
from msanet_bench.profile import only_variant
from msanet_bench.single.card import Applied, Card, Stretch
from msanet_bench.single.checkpoint import read_checkpoint
from msanet_bench.single.device import chosen_device
from msanet_bench.single.origin import Given, read_given
from msanet_bench.single.resume import going_on
from msanet_bench.source_digest import code_digest
from msanet_bench.spec import Experiment
from msanet_bench.train.progress import Progress

# file systems take 255 bytes
_MOST_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What is trained and where; of it, variant, seed, `init` and threads change what comes out.

    Attributes:
        out: The checkpoint.
        resume: Go on with what is there; where there is nothing, begin.
        threads: They change the last bits; a sweep's cells have one each.
        init: A file whose weights the run begins with.
        redraw_last_layer: Draw it from the seed where that file has other classes.
    """

    variant: str
    seed: int
    out: Path
    data_root: Path = Path("data")
    plugin_folder: Path = Path()
    device: str = "auto"
    threads: int = THREADS_PER_WORKER
    resume: bool = False
    init: Path | None = None
    redraw_last_layer: bool = False


def default_checkpoint(experiment: str, variant: str, seed: int) -> Path:
    """`checkpoints/NAME/VARIANT.seed-S.pt`; a variant's name may hold what no file name does."""
    readable = re.sub(r"[^\w=.,+()-]", "_", variant)[:_MOST_CHARACTERS]
    return Path("checkpoints") / experiment / f"{readable}.seed-{seed}.pt"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is ready to begin or to go on.

    Attributes:
        card: As far as it is: what was trained before is in its curve.
        given: The weights that it begins with, if they are given.
        progress: What it goes on from, if from anything.
        notes: What a reader should know beforehand.
    """

    job: Job
    out: Path
    card: Card
    given: Given | None
    redraw_last_layer: bool
    progress: Progress | None
    notes: tuple[str, ...]


def open_run(experiment: Experiment, options: TrainOptions) -> Run:
    """A run, with its data loaded; nothing is written.

    Raises:
        BenchError: the variant, the data, the device or a file is not in order, or what `out` holds is
            something else.
    """
    out = options.out
    if out.is_dir():
        raise BenchError(f"{out}: is a folder. Name a file for the checkpoint with --out.")
    if out.exists() and not options.resume:
        raise BenchError(
            f"{out}: there is a file already. --resume goes on with it; --out names another one."
        )
    given = None if options.init is None else read_given(options.init)
    notes = _notes(experiment)
    train = experiment.train.model_copy(update={"auto": ()})
    experiment = experiment.model_copy(update={"train": train})
    job = _job(experiment, options)
    card = _card(experiment, job)
    notes = (*notes, *dataset_of(job).notes)
    if not out.exists():
        return Run(job, out, card, given, options.redraw_last_layer, None, notes)
    before = read_checkpoint(out)
    resumed = going_on(out, before.card, card, given)
    return Run(job, out, resumed.card, None, False, before.progress, (*notes, *resumed.notes))  # noqa: FBT003


def _job(experiment: Experiment, options: TrainOptions) -> Job:
    plan = only_variant(check_plan(experiment, options.data_root), options.variant)
    (variant,) = plan.variants
    data_digest = plan.data_digest(variant.settings.data)
    return Job(
        key=cell_key(variant.settings, options.seed, data_digest, catalog()),
        variant=variant.name,
        factors=variant.factors,
        settings=variant.settings,
        seed=options.seed,
        data_digest=data_digest,
        code=code_digest(experiment.plugins, options.plugin_folder),
        costs={},
        data_root=options.data_root.resolve(),
        plugins=experiment.plugins,
        plugin_folder=options.plugin_folder.resolve(),
        device=chosen_device(options.device),
        threads=options.threads,
    )


def _card(experiment: Experiment, job: Job) -> Card:
    """Of a run that has not begun; the process is set for it, which changes the last bits of its data."""
    start_worker(job.threads)
    set_process(job)
    prepared, dataset = cell_data(job).preprocessing, dataset_of(job)
    _, channels, height, width = dataset.train_images.shape
    return Card(
        name=experiment.name,
        experiment=experiment.model_dump(mode="json"),
        variant=job.variant,
        factors=job.factors,
        settings=job.settings,
        seed=job.seed,
        key=job.key,
        data_digest=job.data_digest,
        plugins=job.plugins,
        classes=dataset.classes,
        image=(channels, height, width),
        preprocessing=Applied(size=prepared.size, mean=prepared.mean, deviation=prepared.deviation),
        init=None,
        stretches=(
            Stretch(
                code=job.code,
                device=device_name(job.device),
                threads=job.threads,
                torch=str(torch.__version__),
            ),
        ),
    )


def _notes(experiment: Experiment) -> tuple[str, ...]:
    found = {
        "the experiment tunes its variants: this run has the values of the file, not tuned ones.": (
            experiment.tune is not None
        ),
        "`train.auto` is a sweep's to measure: this run computes in the plain way, or as its own keys say.": (
            bool(experiment.train.auto)
        ),
    }
    return tuple(note for note, is_needed in found.items() if is_needed)

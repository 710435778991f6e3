"""The coordinator: plan, ask, submit, journal, tell, measure, export. A generator that prints nothing.

One process writes. The journal is the truth: a cell counts once its line is on the disk, and Optuna is told
afterwards. Records, results and timings are made from the journal and can be made again.
"""

import os
import socket
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import torch

from msanet_bench.cell import (
    THREADS_PER_WORKER,
    Job,
    code_digest,
    device_name,
    failure,
    run_cell,
    start_worker,
)
from msanet_bench.checks import CheckedPlan, catalog, check_plan
from msanet_bench.errors import BenchError
from msanet_bench.events import Ended, Event, Finished, Phase, Started
from msanet_bench.executors import PRELOAD, LocalExecutor, WorkerDied
from msanet_bench.exports import export_records, write_manifest
from msanet_bench.journal import Attempt, Journal, final_records, sole_writer
from msanet_bench.plan import Cell, plan_cells
from msanet_bench.profile import Profile, profile_variants, write_profile
from msanet_bench.records import Record
from msanet_bench.search import Ledger, storage_url
from msanet_bench.session.files import forget_latency, is_measured
from msanet_bench.session.networks import networks_of
from msanet_bench.session.run import measure_latency, session_digest
from msanet_bench.spec import Experiment

Retry: TypeAlias = Literal["failed", "oom", "diverged"]


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """Where a sweep reads and writes and how much of the machine it takes; nothing here changes a number.

    Attributes:
        workers: Training processes of one thread; None takes one a core, or one for a CUDA device.
        retry: Cells that ended so are trained again.
    """

    results: Path
    data_root: Path = Path("data")
    plugin_folder: Path = Path()
    workers: int | None = None
    retry: frozenset[Retry] = frozenset()


def retry_statuses(text: str) -> frozenset[Retry]:
    """`failed,oom` as statuses.

    Raises:
        BenchError: a word is no status that can be tried again.
    """
    words = {word.strip() for word in text.split(",")} - {""}
    known = get_args(Retry)
    if not words <= set(known):
        raise BenchError(f"--retry: must be any of {', '.join(known)}, but got {text!r}.")
    return frozenset(status for status in known if status in words)


def run_sweep(experiment: Experiment, options: SweepOptions) -> Generator[Event, None, None]:
    """Run what is missing of an experiment.

    Raises:
        BenchError: the plan, the data or the results folder are not in order; nothing was trained.
    """
    plan = check_plan(experiment, options.data_root)
    cells = plan_cells(plan.variants, experiment.seeds, catalog(), plan.data_digest)
    with sole_writer(options.results):
        journal = Journal(options.results / "journal.jsonl")
        # read first: a journal that is refused is left as it is
        records = final_records(journal.read())
        torn = journal.repair()
        missing = [cell for cell in cells if _is_missing(records.get(cell.key), options.retry)]
        device = "cuda" if torch.cuda.is_available() else "cpu"
        workers = min(options.workers or _default_workers(device), max(1, len(missing)))
        code = code_digest(experiment.plugins, options.plugin_folder)
        notes = (*plan.notes, *_journal_notes(torn, records, cells, _today(code, device)))
        yield Started(
            len(plan.variants), len(experiment.seeds), len(cells), len(cells) - len(missing), workers, notes
        )
        yield Phase("counting parameters and operations")
        profile = profile_variants(plan, plugins=experiment.plugins, plugin_folder=options.plugin_folder)
        write_manifest(options.results, experiment, plan, cells, threads=THREADS_PER_WORKER)
        write_profile(options.results, profile)
        session = session_digest(experiment.measure, plan, threads=THREADS_PER_WORKER, code=code)
        if not is_measured(options.results, session):
            forget_latency(options.results)
        try:
            if missing:
                yield Phase("training")
                ledger = _open_ledger(experiment, plan, options.results, cells, records)
                jobs = [_job(cell, experiment, plan, profile, options, device, code) for cell in missing]
                yield from _train(jobs, ledger, journal, workers)
        finally:
            export_records(options.results, cells, journal.read())
        yield from _measure(experiment, plan, options.results, session)
        final = final_records(journal.read())
        yield Ended(len(cells), sum(final[cell.key].status != "ok" for cell in cells))


def _is_missing(record: Record | None, retry: frozenset[Retry]) -> bool:
    return record is None or record.status in retry


def _default_workers(device: str) -> int:
    return 1 if device == "cuda" else len(os.sched_getaffinity(0))


def _today(code: str, device: str) -> Mapping[str, Any]:
    """What a record of today would say of how it came about."""
    return {
        "code": code,
        "device": device_name(device),
        "threads": THREADS_PER_WORKER,
        "torch": torch.__version__,
    }


def _journal_notes(
    torn: int, records: Mapping[str, Record], cells: Sequence[Cell], today: Mapping[str, Any]
) -> Iterator[str]:
    if torn:
        yield f"the journal ended in half a line ({torn} bytes), which is cut off: its cell is trained again."
    planned = {cell.key for cell in cells}
    orphans = len(records.keys() - planned)
    if orphans:
        yield f"{orphans} cells of the journal are not in this plan: kept there, not in the tables."
    kept = [record.provenance for key, record in records.items() if key in planned]
    for name, now in today.items():
        others = sum(provenance.get(name) != now for provenance in kept)
        if others:
            yield f"{others} finished cells had another {name} than now ({now}); their records say which."


def _job(
    cell: Cell,
    experiment: Experiment,
    plan: CheckedPlan,
    profile: Profile,
    options: SweepOptions,
    device: str,
    code: str,
) -> Job:
    return Job(
        key=cell.key,
        variant=cell.variant.name,
        factors=cell.variant.factors,
        settings=cell.variant.settings,
        seed=cell.seed,
        data_digest=plan.data_digest(cell.variant.settings.data),
        code=code,
        costs=profile[cell.variant.name].measures(),
        data_root=options.data_root.resolve(),
        plugins=experiment.plugins,
        plugin_folder=options.plugin_folder.resolve(),
        device=device,
        threads=THREADS_PER_WORKER,
    )


def _train(jobs: Sequence[Job], ledger: Ledger, journal: Journal, workers: int) -> Iterator[Finished]:
    """Keep every worker busy; journal each outcome before Optuna hears of it."""
    start = partial(start_worker, THREADS_PER_WORKER)
    slots: list[dict[str, str]] = [{}] * workers
    executor = LocalExecutor(run_cell, slots=slots, start=start, is_well=_is_well, preload=PRELOAD)
    waiting = iter(jobs)
    running: dict[Future[Attempt], _Running] = {}
    try:
        while True:
            while len(running) < workers and (job := next(waiting, None)) is not None:
                trial = ledger.ask(job.key, job.variant, job.seed)
                running[executor.submit(job)] = _Running(job, trial, time.time())
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                ran = running.pop(future)
                attempt = _attempt(future, ran)
                journal.append(attempt)
                ledger.tell(ran.trial, _accuracy(attempt.record))
                yield Finished(attempt)
    except BaseException:
        executor.cancel()
        raise
    finally:
        executor.close()


class _Running(NamedTuple):
    """A job that a worker has, Optuna's number for it, and when it was handed over."""

    job: Job
    trial: int
    since: float


def _attempt(future: Future[Attempt], ran: _Running) -> Attempt:
    try:
        return future.result()
    except WorkerDied as error:
        return Attempt(
            record=failure(ran.job, "failed", str(error)),
            started=ran.since,
            seconds=time.time() - ran.since,
            train_seconds=None,
            evaluate_seconds=None,
            device=ran.job.device,
            host=socket.gethostname(),
        )


def _is_well(attempt: Attempt) -> bool:
    """After any other failure a process may be left in any state: an error of a CUDA device stays with it."""
    return attempt.record.status in {"ok", "diverged"}


def _open_ledger(
    experiment: Experiment,
    plan: CheckedPlan,
    folder: Path,
    cells: Sequence[Cell],
    records: Mapping[str, Record],
) -> Ledger:
    names = [variant.name for variant in plan.variants]
    ledger = Ledger(storage_url(folder), experiment.name, names, experiment.seeds)
    known = {
        cell.key: (cell.variant.name, cell.seed, _accuracy(records[cell.key]))
        for cell in cells
        if cell.key in records
    }
    ledger.reconcile(known)
    return ledger


def _accuracy(record: Record) -> float | None:
    return float(record.measures["accuracy"].value) if record.status == "ok" else None


def _measure(experiment: Experiment, plan: CheckedPlan, results: Path, session: str) -> Iterator[Phase]:
    """Time the variants after training has left the machine, unless this session was taken before."""
    if experiment.measure.latency_rounds and not is_measured(results, session):
        yield Phase("timing all variants, interleaved")
        networks = networks_of(plan)
        for _ in measure_latency(
            experiment.measure, networks, results, threads=THREADS_PER_WORKER, identity=session
        ):
            pass

"""A sweep from its lock to its tables."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from msanet_bench.cell import THREADS_PER_WORKER, Job, device_name
from msanet_bench.checks import CheckedPlan, check_plan
from msanet_bench.events import Ended, Event, Finished, FirstStepFailed, Phase, Retried, Started, Stopped
from msanet_bench.exports import export_records, write_manifest
from msanet_bench.journal import final_records, sole_writer
from msanet_bench.plan import Cell
from msanet_bench.profile import Profile, profile_variants, write_profile
from msanet_bench.running import forget_running, write_running
from msanet_bench.search import Ledger, study_name, telling
from msanet_bench.search_spec import SearchSpec
from msanet_bench.session.files import forget_latency, is_measured
from msanet_bench.session.networks import networks_of
from msanet_bench.session.run import measure_latency, session_digest
from msanet_bench.spec import Experiment
from msanet_bench.sweep.devices import parse_devices, visible_devices
from msanet_bench.sweep.first_steps import take_first_steps, untried
from msanet_bench.sweep.notes import journal_notes, shard_notes
from msanet_bench.sweep.opening import Sweep, open_sweep
from msanet_bench.sweep.options import SweepOptions
from msanet_bench.sweep.pace import Pace
from msanet_bench.sweep.place import Place, open_place
from msanet_bench.sweep.run_search import Hands, run_search
from msanet_bench.sweep.train import Policy, train
from msanet_bench.sweep.work import FinitePlan, UntilLost, Work, accuracy
from msanet_bench.units import Measure


def run_sweep(experiment: Experiment, options: SweepOptions) -> Generator[Event, None, None]:
    """Run what is missing of an experiment.

    Raises:
        BenchError: the plan, the data, the devices or the results folder are not in order; nothing was
            trained.
    """
    devices = parse_devices(options.devices, visible_devices())
    plan = check_plan(experiment, options.data_root)
    with sole_writer(options.results):
        forget_running(options.results)  # what a killed sweep left behind
        sweep = open_sweep(experiment, options, devices, plan)
        yield from _run(sweep) if experiment.search is None else _search(sweep, experiment.search)


def _run(sweep: Sweep) -> Iterator[Event]:
    torn = sweep.journal.repair()
    notes = (
        *sweep.plan.notes,
        *shard_notes(sweep.options.shard, sweep.seeds),
        *journal_notes(torn, sweep.records, sweep.cells, _today(sweep)),
    )
    with open_place(sweep.options, sweep.devices, len(sweep.missing)) as place:
        yield _started(sweep, place.slots, notes)
        # before anything takes long: a server that is away is told at once; and where nothing is missing, a
        # sweep that was killed at its last cell has left a trial running
        ledger = _open_ledger(sweep)
        yield Phase("counting parameters and operations")
        profile = _count(sweep)
        session = _forget_other_latencies(sweep)
        try:
            if sweep.missing:
                jobs = [_job(sweep, cell, profile[cell.variant.name].measures()) for cell in sweep.missing]
                pace = Pace(sweep.attempts, sweep.options.deadline)
                yield Phase("one step of each variant")
                yield from _try_first_steps(sweep, jobs, place, pace)
                yield Phase("training")
                yield from _train(sweep, jobs, place, pace, ledger)
        finally:
            forget_running(sweep.results)
            export_records(sweep.results, sweep.cells, sweep.journal.read())
    if sweep.options.shard is None:
        yield from _measure(sweep, session)
    yield _ended(sweep)


def _search(sweep: Sweep, search: SearchSpec) -> Iterator[Event]:
    pace = Pace(sweep.attempts, sweep.options.deadline)
    most = (1 + search.trials) * len(sweep.experiment.seeds)
    study = study_name(sweep.experiment.name, sweep.results, sweep.options.storage)
    with open_place(sweep.options, sweep.devices, most) as place:
        hands = Hands(
            sweep=sweep,
            study=study,
            workers=place.slots,
            notes=lambda torn: journal_notes(torn, sweep.records, sweep.cells, _today(sweep)),
            job=lambda cell, costs: _job(sweep, cell, costs),
            fits=pace.is_in_time,
            train=lambda work: _work_off(sweep, work, place, pace),
            measure=lambda plan: _measure_search(sweep, plan),
        )
        yield from run_search(hands)


def _measure_search(sweep: Sweep, plan: CheckedPlan) -> Iterator[Phase]:
    chosen = replace(sweep, plan=plan)
    yield from _measure(chosen, _forget_other_latencies(chosen))


def _today(sweep: Sweep) -> Mapping[str, Any]:
    """What a record of today would say of how it came about."""
    return {
        "code": sweep.code,
        "device": device_name(sweep.devices.kind),
        "threads": THREADS_PER_WORKER,
        "torch": torch.__version__,
    }


def _started(sweep: Sweep, slots: int, notes: tuple[str, ...]) -> Started:
    planned = len(sweep.own)
    return Started(
        variants=len(sweep.plan.variants),
        seeds=len({cell.seed for cell in sweep.own}),
        cells=planned,
        done=planned - len(sweep.missing),
        workers=slots,
        notes=notes,
    )


def _count(sweep: Sweep) -> Profile:
    """The costs of every variant, on the disk beside the manifest before the first cell runs."""
    experiment, plan = sweep.experiment, sweep.plan
    options = sweep.options
    profile = profile_variants(
        plan, plugins=experiment.plugins, plugin_folder=options.plugin_folder, limits=options.limits
    )
    write_manifest(
        sweep.results,
        experiment,
        plan,
        sweep.cells,
        sweep.history,
        threads=THREADS_PER_WORKER,
        shard=sweep.options.shard,
    )
    write_profile(sweep.results, profile)
    return profile


def _forget_other_latencies(sweep: Sweep) -> str:
    """Whatever was timed of other networks or elsewhere is gone; the digest of the session that is wanted."""
    measure = sweep.experiment.measure
    session = session_digest(measure, sweep.plan, threads=THREADS_PER_WORKER, code=sweep.code)
    if not is_measured(sweep.results, session):
        forget_latency(sweep.results)
    return session


def _try_first_steps(
    sweep: Sweep, jobs: Sequence[Job], place: Place, pace: Pace
) -> Iterator[FirstStepFailed]:
    for step in take_first_steps(untried(jobs, sweep.records), place.executor):
        if step.status == "ok":
            pace.expect(step.variant, step.cell_seconds)
        else:
            yield FirstStepFailed(step.variant, step.status, step.reason)


def _train(
    sweep: Sweep, jobs: Sequence[Job], place: Place, pace: Pace, ledger: Ledger
) -> Iterator[Finished | Retried | Stopped]:
    yield from _work_off(sweep, FinitePlan(jobs, ledger, pace.is_in_time), place, pace)


def _work_off(
    sweep: Sweep, job_source: Work, place: Place, pace: Pace
) -> Iterator[Finished | Retried | Stopped]:
    options = sweep.options
    work = UntilLost(job_source, sweep.storage)
    policy = Policy(options.max_attempts, options.max_failures, sweep.tried)
    announce = partial(write_running, sweep.results)
    for event in train(work, place.executor, sweep.journal, place.slots, policy, announce):
        if isinstance(event, Finished):
            pace.note(event.attempt)
        yield event
    if work.loss is not None:
        yield Stopped(str(work.loss))


def _open_ledger(sweep: Sweep) -> Ledger:
    names = [variant.name for variant in sweep.plan.variants]
    seeds = list(dict.fromkeys(cell.seed for cell in sweep.cells))
    study = study_name(sweep.experiment.name, sweep.results, sweep.options.storage)
    ledger = Ledger(sweep.storage, study, names, seeds)
    known = {
        cell.key: (cell.variant.name, cell.seed, accuracy(sweep.records[cell.key]))
        for cell in sweep.cells
        if cell.key in sweep.records
    }
    with telling(sweep.storage):
        ledger.reconcile(known)
    return ledger


def _job(sweep: Sweep, cell: Cell, costs: Mapping[str, Measure]) -> Job:
    settings, options = cell.variant.settings, sweep.options
    return Job(
        key=cell.key,
        variant=cell.variant.name,
        factors=cell.variant.factors,
        settings=settings,
        seed=cell.seed,
        data_digest=sweep.plan.data_digest(settings.data),
        code=sweep.code,
        costs=costs,
        data_root=options.data_root.resolve(),
        plugins=sweep.experiment.plugins,
        plugin_folder=options.plugin_folder.resolve(),
        device=sweep.devices.kind,
        threads=THREADS_PER_WORKER,
    )


def _measure(sweep: Sweep, session: str) -> Iterator[Phase]:
    """Time the variants after training has left the machine, unless this session was taken before."""
    measure = sweep.experiment.measure
    if measure.latency_rounds and not is_measured(sweep.results, session):
        yield Phase("timing all variants, interleaved")
        networks = networks_of(sweep.plan)
        for _ in measure_latency(
            measure, networks, sweep.results, threads=THREADS_PER_WORKER, identity=session
        ):
            pass


def _ended(sweep: Sweep) -> Ended:
    final = final_records(sweep.journal.read())
    records = [final[cell.key] for cell in sweep.own if cell.key in final]
    not_ok = sum(record.status != "ok" for record in records)
    return Ended(len(sweep.own), not_ok, left=len(sweep.own) - len(records))

"""A sweep from its lock to its tables."""

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from msanet_bench.cell import THREADS_PER_WORKER, Job, device_name
from msanet_bench.checks import check_plan
from msanet_bench.events import (
    Event,
    Finished,
    FirstStepFailed,
    Phase,
    Retried,
    Stopped,
    Tuned,
)
from msanet_bench.exports import export_records, export_untuned, write_manifest
from msanet_bench.journal import sole_writer
from msanet_bench.plan import Cell
from msanet_bench.profile import Profile, profile_variants, write_profile
from msanet_bench.records import FINE, TUNING_FINE, Status
from msanet_bench.running import UNTUNED, forget_running, write_running
from msanet_bench.search import Ledger, study_name
from msanet_bench.search_spec import SearchSpec
from msanet_bench.session.files import forget_latency, is_measured
from msanet_bench.session.networks import networks_of
from msanet_bench.session.run import measure_latency, session_digest
from msanet_bench.spec import Experiment
from msanet_bench.sweep.auto import settle
from msanet_bench.sweep.devices import VISIBLE, parse_devices, visible_devices
from msanet_bench.sweep.first_steps import take_first_steps, untried
from msanet_bench.sweep.notes import journal_notes, shard_notes
from msanet_bench.sweep.opening import Sweep, open_sweep
from msanet_bench.sweep.options import SweepOptions
from msanet_bench.sweep.pace import Pace
from msanet_bench.sweep.place import Place, open_place
from msanet_bench.sweep.run_search import Hands, run_search
from msanet_bench.sweep.run_tuning import TuningHands, run_tuning
from msanet_bench.sweep.tally import ended, most_cells, started
from msanet_bench.sweep.train import Policy, train
from msanet_bench.sweep.tuning import Tuning, called_untuned, plain_name, tuning_json
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
    if devices.visible:  # the latency session of this process keeps to them too
        os.environ[VISIBLE] = ",".join(devices.visible)
    with sole_writer(options.results):
        forget_running(options.results)  # what a killed sweep left behind
        sweep = open_sweep(experiment, options, devices, plan)
        if experiment.train.auto:
            settled = yield from settle(sweep, lambda cell: _job(sweep, cell, {}))
            sweep = open_sweep(settled.experiment, options, devices, settled.plan, settled.choices)
        yield from _run(sweep) if experiment.search is None else _search(sweep, experiment.search)


def _run(sweep: Sweep) -> Iterator[Event]:
    torn = sweep.journal.repair()
    notes = (
        *sweep.plan.notes,
        *shard_notes(sweep.options.shard, sweep.seeds),
        *journal_notes(torn, sweep.records, sweep.planned.all_cells, _today(sweep)),
    )
    may_go_on = True
    with open_place(sweep.options, sweep.devices, most_cells(sweep)) as place:
        yield started(sweep, place.slots, notes)
        if sweep.planned.tuning is not None and sweep.untried:
            sweep, may_go_on = yield from _tune(sweep, sweep.planned.tuning, place)
        # before anything takes long: a server that is away is told at once; and where nothing is missing, a
        # sweep that was killed at its last cell has left a trial running
        ledger = _open_ledger(sweep) if may_go_on else None
        yield Phase("counting parameters and operations")
        profile = _count(sweep)
        session = _forget_other_latencies(sweep)
        try:
            if ledger is not None and sweep.missing:
                jobs = [_job(sweep, cell, profile[plain_name(cell)].measures()) for cell in sweep.missing]
                pace = Pace(sweep.attempts, sweep.options.deadline)
                named = [job for job in jobs if not job.variant.endswith(UNTUNED)]
                yield from _try_first_steps(sweep, named, place, pace)
                yield Phase("training")
                yield from _train(sweep, jobs, place, pace, ledger)
        finally:
            forget_running(sweep.results)
            _export(sweep)
    end = ended(sweep)
    # a deadline that kept cells from beginning leaves no time for the session
    is_late = sweep.options.deadline is not None and end.left > end.unchosen
    if sweep.options.shard is None and not is_late:
        yield from _measure(sweep, session)
    yield end


def _tune(sweep: Sweep, tuning: Tuning, place: Place) -> Generator[Event, None, tuple[Sweep, bool]]:
    """The sweep with what was chosen for each variant, and whether it may go on."""
    pace = Pace(sweep.attempts, sweep.options.deadline)
    _write_manifest(sweep)
    hands = TuningHands(
        sweep=sweep,
        study=study_name(sweep.experiment.name, sweep.results, sweep.options.storage),
        job=lambda cell: _job(sweep, cell, {}),
        fits=pace.is_in_time,
        try_steps=lambda jobs: _try_first_steps(sweep, jobs, place, pace),
        train=lambda work: _work_off(sweep, work, place, pace, TUNING_FINE),
    )
    try:
        may_go_on = yield from run_tuning(hands, tuning)
    finally:
        forget_running(sweep.results)
    chosen = open_sweep(sweep.experiment, sweep.options, sweep.devices, sweep.checked, sweep.choices)
    yield Tuned(len(chosen.keys) - len(sweep.keys))
    return chosen, may_go_on


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
        )
        searched = yield from run_search(hands)
    chosen = replace(sweep, planned=sweep.planned._replace(plan=searched.chosen))
    session = _forget_other_latencies(chosen)
    # the machine is quiet now; what a search that was stopped has found is not what is chosen in the end
    if not searched.ended.left:
        yield from _measure(chosen, session)
    yield searched.ended


def _today(sweep: Sweep) -> Mapping[str, Any]:
    """What a record of today would say of how it came about."""
    return {
        "code": sweep.code,
        "device": device_name(sweep.devices.kind),
        "threads": THREADS_PER_WORKER,
        "torch": torch.__version__,
    }


def _count(sweep: Sweep) -> Profile:
    """The costs of every variant, on the disk beside the manifest before the first cell runs."""
    experiment, options = sweep.experiment, sweep.options
    profile = profile_variants(
        sweep.plan,
        plugins=experiment.plugins,
        plugin_folder=options.plugin_folder,
        limits=options.limits,
    )
    _write_manifest(sweep)
    write_profile(sweep.results, profile)
    return profile


def _write_manifest(sweep: Sweep) -> None:
    tuning = sweep.planned.tuning
    write_manifest(
        sweep.results,
        sweep.experiment,
        sweep.plan,
        sweep.cells,
        sweep.history,
        threads=THREADS_PER_WORKER,
        shard=sweep.options.shard,
        tuning=None if tuning is None else tuning_json(tuning, sweep.records, sweep.planned.untuned),
    )


def _export(sweep: Sweep) -> None:
    attempts = sweep.journal.read()
    export_records(sweep.results, sweep.cells, attempts)
    export_untuned(sweep.results, sweep.planned.untuned if sweep.planned.tuning else None, attempts)


def _forget_other_latencies(sweep: Sweep) -> str:
    """Whatever was timed of other networks or elsewhere is gone; the digest of the session that is wanted."""
    measure = sweep.experiment.measure
    session = session_digest(measure, sweep.plan, threads=THREADS_PER_WORKER, code=sweep.code)
    if not is_measured(sweep.results, session):
        forget_latency(sweep.results)
    return session


def _try_first_steps(
    sweep: Sweep, jobs: Sequence[Job], place: Place, pace: Pace
) -> Iterator[Phase | FirstStepFailed]:
    first = untried(jobs, sweep.records)
    if first:
        yield Phase("one step of each variant")
    for step in take_first_steps(first, place.executor):
        if step.status == "ok":
            pace.expect(step.variant, step.cell_seconds)
        else:
            yield FirstStepFailed(step.variant, step.status, step.reason)


def _train(
    sweep: Sweep, jobs: Sequence[Job], place: Place, pace: Pace, ledger: Ledger
) -> Iterator[Finished | Retried | Stopped]:
    yield from _work_off(sweep, FinitePlan(jobs, ledger, pace.is_in_time), place, pace)


def _work_off(
    sweep: Sweep,
    job_source: Work,
    place: Place,
    pace: Pace,
    fine: frozenset[Status] = FINE,
) -> Iterator[Finished | Retried | Stopped]:
    options = sweep.options
    work = UntilLost(job_source)
    policy = Policy(options.max_attempts, options.max_failures, sweep.tried, fine, pace.is_in_time)
    announce = partial(write_running, sweep.results)
    for event in train(work, place.executor, sweep.journal, place.slots, policy, announce):
        if isinstance(event, Finished):
            pace.note(event.attempt)
        yield event
    if work.loss is not None:
        yield Stopped(str(work.loss))


def _open_ledger(sweep: Sweep) -> Ledger:
    names = [variant.name for variant in sweep.plan.variants]
    names += [f"{name}{UNTUNED}" for name in names] if sweep.planned.tuning else []
    seeds = list(dict.fromkeys(cell.seed for cell in sweep.cells))
    study = study_name(sweep.experiment.name, sweep.results, sweep.options.storage)
    ledger = Ledger(sweep.storage, study, names, seeds)
    settled = sweep.records.keys() - {cell.key for cell in sweep.missing}
    known = {
        cell.key: (cell.variant.name, cell.seed, accuracy(sweep.records[cell.key]))
        for cell in (*map(called_untuned, sweep.planned.untuned), *sweep.cells)
        if cell.key in settled
    }
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
